/* One FHIR resource in, what became of it out, as text that a test can compare. */
#ifndef TESTS_LIB_FHIR_CASE_H
#define TESTS_LIB_FHIR_CASE_H

#include "import/fhir.h"
#include "import/import_sink.h"
#include "tests/lib/shipped.h"
#include "tests/lib/values.h"

#include <stdio.h>

/* Rows as `table {…}` without the original, a refusal as `bad: field reason`, a resource that is passed over as
 * `ignored: kind`; one in a line. */
struct fhir_case {
        struct buf text;
        struct buf original; /* of the last row that has one */
        struct buf record;   /* what the shipped types make of the last row */
        struct record_types *types;
};

static inline enum err fhir_case_item(void *context, const struct import_item *item)
{
        struct fhir_case *c = context;
        struct value_iter iter;
        struct slice key;
        struct slice member;
        struct slice original;
        struct buf row;
        size_t mark;
        uint32_t count = 0;

        buf_init(&row, 0);
        assert_row_fits(c->types, item, &c->record);
        assert_ok(value_open_map(&row, &mark));
        assert_true(value_iter_init(&iter, item->row, VALUE_MAP));
        for (; value_next_member(&iter, &key, &member); count++) {
                if (slice_equal(key, slice_str("resource")) && value_text(member, &original)) {
                        buf_truncate(&c->original, 0);
                        assert_ok(buf_append_slice(&c->original, original));
                        count--;
                        continue;
                }
                assert_ok(value_put_text(&row, key));
                assert_ok(value_put_canonical(&row, member));
        }
        value_close(&row, mark, count);
        assert_ok(buf_printf(&c->text, "%s%s ", buf_len(&c->text) > 0 ? "\n" : "", item->table));
        assert_ok(value_to_json(buf_slice(&row), &c->text));
        buf_deinit(&row);
        return OK;
}

static inline enum err fhir_case_bad(void *context, const struct import_bad *bad)
{
        struct fhir_case *c = context;

        return buf_printf(&c->text, "bad: %s %s", bad->reject.field, reject_word(bad->reject.reason));
}

static inline enum err fhir_case_ignored(void *context, const char *kind)
{
        struct fhir_case *c = context;

        return buf_printf(&c->text, "ignored: %s", kind);
}

static inline void fhir_case_init(struct fhir_case *c)
{
        buf_init(&c->text, 0);
        buf_init(&c->original, 0);
        buf_init(&c->record, 0);
        c->types = shipped_types();
}

static inline void fhir_case_deinit(struct fhir_case *c)
{
        buf_deinit(&c->text);
        buf_deinit(&c->original);
        buf_deinit(&c->record);
        record_types_destroy(&c->types);
}

/* Maps the resource; `given` says what is around it (full_url, refs, prefix), NULL: nothing. */
static inline void fhir_case_map(struct fhir_case *c, const char *json, const struct fhir_resource *given)
{
        const struct import_sink sink = {fhir_case_item, fhir_case_bad, fhir_case_ignored, c};
        struct fhir_resource resource = {.line = 1};
        struct fhir_mapper *mapper;
        struct buf value;

        buf_init(&value, 0);
        append_json(&value, json);
        if (given != NULL)
                resource = *given;
        resource.value = buf_slice(&value);
        resource.text = slice_str(json);
        assert_ok(fhir_mapper_create(&mapper));
        assert_ok(fhir_to_rows(mapper, &resource, &sink));
        fhir_mapper_destroy(&mapper);
        buf_deinit(&value);
}

/* JSON in C strings is hard to read with its quotes escaped: these tests write ' for ". */
static inline const char *quoted(const char *text, char *out, size_t size)
{
        assert_true(strlen(text) < size);
        for (size_t i = 0; i <= strlen(text); i++)
                out[i] = (char)(text[i] == '\'' ? '"' : text[i]);
        return out;
}

/* Fails unless the resource becomes exactly that; ' stands for " in both. */
static inline void assert_fhir_given(const char *json, const struct fhir_resource *given, const char *expected)
{
        char resource[4096];
        char outcome[4096];
        struct fhir_case c;

        fhir_case_init(&c);
        fhir_case_map(&c, quoted(json, resource, sizeof(resource)), given);
        assert_ok(buf_append(&c.text, "", 1));
        assert_string_equal((const char *)buf_slice(&c.text).data, quoted(expected, outcome, sizeof(outcome)));
        fhir_case_deinit(&c);
}

static inline void assert_fhir(const char *json, const char *expected)
{
        assert_fhir_given(json, NULL, expected);
}

#endif
