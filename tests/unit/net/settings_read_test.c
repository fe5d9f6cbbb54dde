#include "net/settings_read.h"

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

/* ---- actions ---- */

static void actions_are_told(void **state)
{
        static const struct {
                const char *flag;
                enum settings_action action;
        } rows[] = {{"--check-config", SETTINGS_CHECK}, {"--print-config", SETTINGS_PRINT}, {"--help", SETTINGS_HELP},
                {"-h", SETTINGS_HELP}, {"--version", SETTINGS_VERSION}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct settings_input input = settings_given(ARGS((char *)rows[i].flag), NO_ENV);
                struct settings *settings;

                assert_ok(settings_load(&settings, &input, NULL));
                assert_int_equal(settings_action(settings), rows[i].action);
                settings_destroy(&settings);
        }
}

static void help_answers_even_where_the_rest_is_wrong(void **state)
{
        struct settings_input input = settings_given(ARGS("--config", "/nowhere", "--bogus", "--help"), NO_ENV);
        struct settings *settings;
        const struct option_row *rows;
        struct buf out;
        size_t count;

        (void)state;
        assert_ok(settings_load(&settings, &input, NULL));
        assert_int_equal(settings_action(settings), SETTINGS_HELP);
        settings_destroy(&settings);
        buf_init(&out, 0);
        assert_ok(settings_help(&out));
        assert_ok(buf_append(&out, "", 1));
        rows = settings_rows(&count);
        for (size_t i = 0; i < count; i++)
                assert_non_null(strstr((char *)out.data, rows[i].name));
        assert_non_null(strstr((char *)out.data, "--port, --server.port N\n        TCP port to listen on; 0: any that "
                                                 "is free, told in the log (0 to 65535; default 7379)"));
        buf_deinit(&out);
}

/* ---- what is refused ---- */

static void wrong_command_lines_are_refused(void **state)
{
        (void)state;
        assert_refused(ARGS("--config", ""), NO_ENV, "--config needs the path of a file, not \"\"");
        assert_refused(ARGS("--config="), NO_ENV, "--config needs the path of a file, not \"\"");
        assert_refused(ARGS("--thread", "2"), NO_ENV,
                "there is no flag \"--thread\"; --help says what there is (did you mean \"--threads\"?)");
        assert_refused(ARGS("--chek-config"), NO_ENV,
                "there is no flag \"--chek-config\"; --help says what there is (did you mean \"--check-config\"?)");
        assert_refused(ARGS("--threads"), NO_ENV, "--threads needs a value");
        assert_refused(ARGS("--threads", "--port", "1"), NO_ENV, "--threads needs a value");
        assert_refused(ARGS("--config"), NO_ENV, "--config needs a value");
        assert_refused(ARGS("--check-config=yes"), NO_ENV, "--check-config has no value");
        assert_refused(ARGS("7379"), NO_ENV, "unexpected argument \"7379\"; --help says what there is");
        assert_refused(ARGS("--port", "70000"), NO_ENV, "--port: server.port is 70000; it must be 0 to 65535");
        assert_refused(ARGS("--port=http"), NO_ENV, "--port: server.port is \"http\"; it must be a whole number");
        assert_refused(
                ARGS("--server.port", "-1"), NO_ENV, "--server.port: server.port is \"-1\"; it must be a whole number");
        assert_refused(ARGS("--log.level", "warn"), NO_ENV,
                "--log.level: log.level is \"warn\"; it must be debug, info, warning, error (did you mean "
                "\"warning\"?)");
}

static void wrong_environment_is_refused(void **state)
{
        (void)state;
        assert_refused(ARGS(), ENV("CACHE_L1_MAX_SIZE=many"),
                "environment variable CACHE_L1_MAX_SIZE: cache.l1.max_entries is \"many\"; it must be a whole number");
        assert_refused(ARGS(), ENV("CACHE_ENABLE_L1=yes"),
                "environment variable CACHE_ENABLE_L1: cache.l1.enabled is \"yes\"; it must be true or false");
        assert_refused(ARGS(), ENV("CACHE_L1_TTL=0"),
                "environment variable CACHE_L1_TTL: cache.l1.ttl is 0s; it must be 1s to 1d");
}

static void wrong_files_are_refused(void **state)
{
        (void)state;
        assert_text_refused("cahce: {}\n", "1:1", "unknown key \"cahce\" (did you mean \"cache\"?)");
        assert_text_refused(
                "cache:\n  l1:\n    max_byte: 64MB\n", "3:5", "unknown key \"max_byte\" (did you mean \"max_bytes\"?)");
        assert_text_refused(
                "server:\n  port:\n    number: 1\n", "3:5", "server.port is a map; it must be a single value");
        assert_text_refused("server:\n  port: [1]\n", "2:9", "server.port is a list; it must be a single value");
        assert_text_refused("server:\n  port:\n", "2:8", "server.port has no value; its default is 7379");
        assert_text_refused("server: 7379\n", "1:9", "server must be a map of options");
        assert_text_refused("[server]\n", "1:1", "the file must be a map of options");
        assert_text_refused("server:\n  port: 70000\n", "2:9", "server.port is 70000; it must be 0 to 65535");
        assert_text_refused("server:\n  port: 1\n  port: 2\n", "3:3", "\"port\" is here twice; the first is in line 2");
        assert_text_refused(
                "cache:\n  l1:\n    ttl: 60\n", "3:10", "cache.l1.ttl is 60, without a unit; write 60s or 1m");
        assert_text_refused(
                "cache:\n  l1:\n    max_bytes: 64\n", "3:16", "cache.l1.max_bytes is 64, without a unit; write 64MB");
        assert_text_refused(
                "cache:\n  l1:\n    shards: 3\n", "3:13", "cache.l1.shards is 3; it must be a power of two");
        assert_text_refused("server: {socket_mode: 800}\n", "1:23",
                "server.socket_mode is \"800\"; it must be permissions in octal, such as 0600");
        assert_text_refused("log: {level: wraning}\n", "1:14",
                "log.level is \"wraning\"; it must be debug, info, warning, error (did you mean \"warning\"?)");
        assert_text_refused("types: {files: [[a]]}\n", "1:17", "an item of types.files must be a single value");
        assert_text_refused(
                "a: [1, 2\n", "2:1", "not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'");
}

static void options_that_do_not_go_together_are_refused(void **state)
{
        (void)state;
        assert_text_refused("database: {map_size: 2TiB}\n", "1:22",
                "database.map_size is 2TiB; it must be at most database.map_size_max, which is 1TiB");
        assert_text_refused("limits: {client_input: 1MB}\n", "1:24",
                "limits.client_input is 1MB; it must be at least limits.bulk, which is 16MB");
}

static void missing_file_is_named(void **state)
{
        struct settings_input input = settings_given(ARGS("--config", "/nowhere/at/all.yaml"), NO_ENV);
        struct settings *settings;
        struct err_msg msg = {""};

        (void)state;
        assert_err(ERR_IO, settings_load(&settings, &input, &msg));
        assert_string_equal(msg.text, "cannot read /nowhere/at/all.yaml: No such file or directory");
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
                cmocka_unit_test(actions_are_told),
                cmocka_unit_test(help_answers_even_where_the_rest_is_wrong),
                cmocka_unit_test(wrong_command_lines_are_refused),
                cmocka_unit_test(wrong_environment_is_refused),
                cmocka_unit_test(wrong_files_are_refused),
                cmocka_unit_test(options_that_do_not_go_together_are_refused),
                cmocka_unit_test(missing_file_is_named),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
