#include "tests/lib/import_case.h"

#include "tests/lib/values.h"

#include <stdio.h>

static struct slice import_case_text(struct slice row, const char *name)
{
        struct slice text;

        return value_member_text(row, name, &text) ? text : slice_str("-");
}

static enum err import_case_item(void *context, const struct import_item *item)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct import_case *c = context;

        c->items++;
        if (c->silent)
                return OK;
        assert_ok(value_check(item->row, &limits, NULL));
        buf_truncate(&c->last, 0);
        assert_ok(buf_append_slice(&c->last, item->row));
        return buf_printf(&c->text, "%d %s %.*s %.*s\n", (int)item->line, item->table,
                SLICE_ARG(import_case_text(item->row, "student")), SLICE_ARG(import_case_text(item->row, "id")));
}

static enum err import_case_bad(void *context, const struct import_bad *bad)
{
        struct import_case *c = context;

        c->bads++;
        return c->silent ? OK
                         : buf_printf(&c->text, "%d! %s %s %s %.*s\n", (int)bad->line,
                                   bad->table == NULL ? "-" : bad->table,
                                   bad->reject.field[0] == '\0' ? "-" : bad->reject.field,
                                   reject_word(bad->reject.reason), SLICE_ARG(bad->origin));
}

static enum err import_case_ignored(void *context, const char *kind)
{
        struct import_case *c = context;

        c->ignored++;
        return c->silent ? OK : buf_printf(&c->text, "- %s\n", kind);
}

void import_case_init(struct import_case *c)
{
        *c = (struct import_case){.silent = false};
        buf_init(&c->text, 0);
        buf_init(&c->last, 0);
}

void import_case_deinit(struct import_case *c)
{
        buf_deinit(&c->text);
        buf_deinit(&c->last);
}

enum err import_case_run(
        struct import_case *c, enum err (*feed)(struct import_json *import, void *context), void *context)
{
        struct import_json_config config = {.sink = {import_case_item, import_case_bad, import_case_ignored, c},
                .prefix = c->prefix,
                .value_max = c->value_max};
        struct import_names names;
        struct import_json *import;
        enum err rc;

        import_names_init(&names);
        config.names = &names;
        rc = import_json_create(&import, &config);
        if (rc == OK)
                rc = feed(import, context);
        if (rc == OK)
                rc = import_json_finish(import);
        import_json_destroy(&import);
        import_names_deinit(&names);
        return rc;
}

struct import_case_pieces {
        struct slice json;
        size_t piece;
};

static enum err import_case_feed_pieces(struct import_json *import, void *context)
{
        const struct import_case_pieces *pieces = context;
        struct slice json = pieces->json;
        enum err rc = OK;

        while (rc == OK && json.len > 0) {
                size_t len = json.len < pieces->piece ? json.len : pieces->piece;

                rc = import_json_feed(import, slice_of(json.data, len));
                json = slice_of(json.data + len, json.len - len);
        }
        return rc;
}

enum err import_case_read(struct import_case *c, struct slice json, size_t piece)
{
        struct import_case_pieces pieces = {.json = json, .piece = piece};

        return import_case_run(c, import_case_feed_pieces, &pieces);
}

/* A copy with " for each '; the caller frees. JSON in C strings is hard to read with its quotes escaped. */
static char *import_case_quoted(const char *text)
{
        char *copy = test_calloc(1, strlen(text) + 1);

        for (size_t i = 0; i < strlen(text); i++)
                copy[i] = (char)(text[i] == '\'' ? '"' : text[i]);
        return copy;
}

void assert_import_given(const struct import_case *given, const char *json, const char *expected)
{
        char *input = import_case_quoted(json);
        char *outcome = import_case_quoted(expected);
        const size_t pieces[] = {strlen(input) + 1, 1};

        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
                struct import_case c;

                import_case_init(&c);
                c.prefix = given->prefix;
                c.value_max = given->value_max;
                assert_ok(import_case_read(&c, slice_str(input), pieces[i]));
                assert_ok(buf_append(&c.text, "", 1));
                assert_string_equal((const char *)buf_slice(&c.text).data, outcome);
                import_case_deinit(&c);
        }
        test_free(outcome);
        test_free(input);
}

void assert_import(const char *json, const char *expected)
{
        const struct import_case nothing = {.silent = false};

        assert_import_given(&nothing, json, expected);
}
