#include "net/settings_read.h"

#include "database/record_type.h"
#include "tests/lib/settings_given.h"
#include "tests/lib/test.h"

static char folder[64];
static char config_path[96];

/* ---- helpers ---- */

static void assert_refused(char *const *args, char *const *env, const char *expected)
{
        struct settings_input input = settings_given(args, env);
        struct settings *settings;
        struct err_msg msg = {""};

        assert_err(ERR_CONFIG, settings_load(&settings, &input, &msg));
        assert_null(settings);
        assert_string_equal(msg.text, expected);
}

/* The file's text is refused with "<file>:<place>: <what>". */
static void assert_text_refused(const char *text, const char *place, const char *what)
{
        char expected[600];

        assert_true(settings_write(config_path, text));
        (void)snprintf(expected, sizeof(expected), "%s:%s: %s", config_path, place, what);
        assert_refused(ARGS("--config", config_path), NO_ENV, expected);
}

/* Between polls a bound shorter than this would be kept now and then; LMDB needs no polls. */
static void a_bound_that_polls_cannot_keep_is_refused(void **state)
{
        static char *const fine[] = {"1s", "750ms", "0s"};
        struct settings_input input = settings_given(ARGS("--freshness.bound", "1ms"), NO_ENV);
        struct settings *settings;

        (void)state;
        assert_ok(settings_load(&settings, &input, NULL));
        settings_destroy(&settings);
        assert_text_refused("database: {kind: postgres}\nfreshness: {bound: 749ms}\n", "2:20",
                "freshness.bound is 749ms; it must be 0s, or at least freshness.poll_interval and "
                "freshness.poll_timeout together, 750ms");
        assert_refused(ARGS("--database.kind", "postgres", "--freshness.poll_timeout", "751ms"), NO_ENV,
                "freshness.bound is 1s; it must be 0s, or at least freshness.poll_interval and "
                "freshness.poll_timeout together, 1001ms");
        for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
                input = settings_given(ARGS("--database.kind", "postgres", "--freshness.bound", fine[i]), NO_ENV);
                assert_ok(settings_load(&settings, &input, NULL));
                settings_destroy(&settings);
        }
}

#define FETCH "SELECT id::text AS student FROM students WHERE id = ANY($1)"

static const char BOUNDED_TYPES[] =
        "tables:\n"
        "  students: {schema: 1, fields: {name: text}, postgres: {relations: [{name: p.s, student: id}]}}\n"
        "types:\n"
        "  student: {shape: one, table: students, postgres: {fetch: \"" FETCH "\"}}\n"
        "  quick: {shape: one, table: students, bound: 100ms, postgres: {fetch: \"" FETCH "\"}}\n";

static void a_types_bound_must_be_one_that_polls_can_keep(void **state)
{
        static const struct {
                const char *kind;
                const char *message;
        } cases[] = {
                {"lmdb", NULL},
                {"postgres", "the bound of the type quick is 100ms; it must be 0s, or at least freshness.poll_interval "
                             "and freshness.poll_timeout together, 750ms"},
        };
        char types_path[96];

        (void)state;
        (void)snprintf(types_path, sizeof(types_path), "%s/bounded.yaml", folder);
        assert_true(settings_write(types_path, BOUNDED_TYPES));
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct settings_input input;
                char kind[64];
                struct settings *settings;
                struct record_types *types;
                struct err_msg msg = {""};

                (void)snprintf(kind, sizeof(kind), "--database.kind=%s", cases[i].kind);
                input = settings_given(ARGS("--types.files", types_path, kind), NO_ENV);
                assert_ok(settings_load(&settings, &input, NULL));
                assert_err(cases[i].message == NULL ? OK : ERR_CONFIG, settings_load_types(settings, &types, &msg));
                assert_int_equal(types == NULL, cases[i].message != NULL);
                assert_string_equal(msg.text, cases[i].message == NULL ? "" : cases[i].message);
                record_types_destroy(&types);
                settings_destroy(&settings);
        }
        assert_int_equal(remove(types_path), 0);
}

static int set_up(void **state)
{
        (void)state;
        temp_dir_make(folder, sizeof(folder));
        (void)snprintf(config_path, sizeof(config_path), "%s/test.yaml", folder);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        temp_dir_remove(folder);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_bound_that_polls_cannot_keep_is_refused),
                cmocka_unit_test(a_types_bound_must_be_one_that_polls_can_keep),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
