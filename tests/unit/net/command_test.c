#include "net/command.h"

#include "net/session.h"
#include "tests/lib/net_rig.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const struct command *find(const struct command_table *table, const char *first, const char *second)
{
        const struct slice words[2] = {slice_str(first), slice_str(second == NULL ? "" : second)};

        return command_table_find(table, words, second == NULL ? 1 : 2);
}

static void names_are_found_in_any_case(void **state)
{
        struct command_table *table;

        (void)state;
        assert_ok(command_table_create(&table));
        assert_string_equal(find(table, "GET", NULL)->name, "GET");
        assert_string_equal(find(table, "gEt", "x:1")->name, "GET");
        assert_string_equal(find(table, "client", "id")->name, "CLIENT ID");
        assert_string_equal(find(table, "client", "nonsense")->name, "CLIENT");
        assert_string_equal(find(table, "client", NULL)->name, "CLIENT");
        assert_null(find(table, "", NULL));
        assert_null(find(table, "GETX", NULL));
        assert_null(find(table, "a name that is far too long to be that of any command", NULL));
        for (size_t i = 0; command_at(i) != NULL; i++) {
                const struct command *row = command_at(i);
                size_t len = command_container_len(row);
                char first[64];

                (void)snprintf(first, sizeof(first), "%.*s", (int)(len > 0 ? len : strlen(row->name)), row->name);
                assert_ptr_equal(find(table, first, len > 0 ? row->name + len + 1 : NULL), row);
        }
        command_table_destroy(&table);
        assert_null(table);
}

/* One alternative, one list, one word after the other; NULL when the text is no shape. */
static const char *skip_shape(const char *at)
{
        static const char *const words[] = {
                "ok", "simple", "bulk", "text", "int", "nil", "map", "push", "any", "error"};

        do {
                size_t i = 0;

                at += *at == '|' ? 1 : 0;
                if (*at == '[') {
                        at++;
                        while (at != NULL && *at != ']')
                                at = *at == ' ' ? at + 1 : strncmp(at, "...", 3) == 0 ? at + 3 : skip_shape(at);
                        if (at == NULL)
                                return NULL;
                        at++;
                        continue;
                }
                while (i < sizeof(words) / sizeof(words[0]) && strncmp(at, words[i], strlen(words[i])) != 0)
                        i++;
                if (i == sizeof(words) / sizeof(words[0]))
                        return NULL;
                at += strlen(words[i]);
        } while (*at == '|');
        return at;
}

static void every_row_says_what_it_is(void **state)
{
        (void)state;
        for (size_t i = 0; command_at(i) != NULL; i++) {
                const struct command *row = command_at(i);
                const char *end = skip_shape(row->reply);

                for (const char *c = row->name; *c != '\0'; c++)
                        assert_true(isupper((unsigned char)*c) || *c == ' ');
                assert_true(row->arity != 0);
                assert_true(strlen(row->summary) > 10);
                assert_true(strlen(row->summary) + strlen(row->name) + strlen(row->arguments) < 400);
                assert_true(strlen(row->group) > 0);
                assert_non_null(end);
                assert_int_equal(*end, '\0');
                assert_true(row->last_key == -1 || row->last_key >= row->first_key);
                if ((row->flags & COMMAND_WRITE) != 0)
                        assert_int_equal(row->flags & (COMMAND_READ | COMMAND_FAST), 0);
        }
}

static char *read_file(const char *path)
{
        FILE *f = fopen(path, "re");
        char *text = calloc(1, 1 << 20);

        assert_non_null(f);
        assert_non_null(text);
        assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
        (void)fclose(f);
        return text;
}

/* The manual has a heading `### NAME` for each command, and its form as `    NAME arguments`; refused ones stand in a
 * table of their own. */
static void every_row_is_in_the_manual(void **state)
{
        char *manual = read_file(VC_SOURCE_DIR "/docs/PROTOCOL.md");

        (void)state;
        for (size_t i = 0; command_at(i) != NULL; i++) {
                const struct command *row = command_at(i);
                char wanted[512];

                if ((row->flags & COMMAND_REFUSED_FLAG) != 0)
                        (void)snprintf(wanted, sizeof(wanted), "`%s`", row->name);
                else
                        (void)snprintf(wanted, sizeof(wanted), "\n### %s\n\n    %s%s%s\n", row->name, row->name,
                                row->arguments[0] == '\0' ? "" : " ", row->arguments);
                if (strstr(manual, wanted) == NULL)
                        fail_msg("docs/PROTOCOL.md lacks: %s", wanted);
        }
        free(manual);
}

static void keys_end_at_the_first_word_that_is_none(void **state)
{
        const struct slice words[] = {slice_str("MGET"), slice_str("a:1"), slice_str("b:2"), slice_str("WITHMETA"),
                slice_str("ALLOWSTALE"), slice_str("re:ason")};
        struct command_table *table;
        size_t first;
        size_t count;

        (void)state;
        assert_ok(command_table_create(&table));
        command_keys(find(table, "MGET", NULL), words, 6, &first, &count);
        assert_int_equal(first, 1);
        assert_int_equal(count, 2);
        command_keys(find(table, "GET", NULL), words, 6, &first, &count);
        assert_int_equal(count, 1);
        command_keys(find(table, "PING", NULL), words, 6, &first, &count);
        assert_int_equal(count, 0);
        command_table_destroy(&table);
}

enum { WORDS_MAX = 4 };

/* Whether a session that may use visits only is refused these words. */
static bool is_refused(struct net_rig *rig, const char *const *words)
{
        const struct record_type *visits = record_types_find(rig->services.types, slice_str("visits"));
        struct slice argv[WORDS_MAX];
        struct reply_queue queue;
        struct session session;
        struct call call = {.services = &rig->services, .session = &session, .argv = argv, .queue = &queue};
        struct buf out;
        bool refused;

        session_init(&session, 1);
        session.permitted = UINT64_C(1) << visits->index;
        reply_queue_init(&queue, &rig->lane.slots, 0);
        buf_init(&out, 0);
        call.out = resp_writer_of(&out, 2);
        for (; words[call.argc] != NULL; call.argc++)
                argv[call.argc] = slice_str(words[call.argc]);
        assert_int_equal(command_run(&call), COMMAND_ENDED);
        refused = buf_len(&out) > 7 && memcmp(buf_slice(&out).data, "-NOPERM", 7) == 0;
        buf_deinit(&out);
        reply_queue_deinit(&queue);
        return refused;
}

static void what_reaches_other_types_is_refused_to_a_session_of_one(void **state)
{
        static const char *const refused[][WORDS_MAX + 1] = {
                {"GET", "allergies:1"},
                {"IMPORT", "visits", "[]"},
                {"ERASE", "STUDENT", "1"},
                {"ERASE", "ROWS", "visits", "[]"},
                {"EXPORT", "visits"},
                {"EXPORT", "STUDENT", "1"},
        };
        static const char *const permitted[][WORDS_MAX + 1] = {{"DBSIZE"}, {"TIME"}, {"PING"}};
        struct net_rig rig;

        (void)state;
        net_rig_init(&rig, VC_SOURCE_DIR "/conf/types/school-health.yaml");
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
                assert_true(is_refused(&rig, refused[i]));
        for (size_t i = 0; i < sizeof(permitted) / sizeof(permitted[0]); i++)
                assert_false(is_refused(&rig, permitted[i]));
        net_rig_deinit(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_found_in_any_case),
                cmocka_unit_test(every_row_says_what_it_is),
                cmocka_unit_test(every_row_is_in_the_manual),
                cmocka_unit_test(keys_end_at_the_first_word_that_is_none),
                cmocka_unit_test(what_reaches_other_types_is_refused_to_a_session_of_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
