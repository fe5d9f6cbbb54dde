#include "base/option.h"

#include "tests/lib/test.h"

/* One row of each type. How a whole table meets its sources is in tests/unit/net/settings_test.c. */
enum { FLAG, NUMBER, POWER, TIME, SIZE, MODE, TEXT, WORD, ONE_PATH, PATHS, ONE_DSN, DSNS, COUNT };

static const struct option_row ROWS[COUNT] = {
        [FLAG] = {"a.flag", OPTION_BOOL, "true", NULL, NULL, NULL, true, "A_FLAG", NULL, ""},
        [NUMBER] = {"a.number", OPTION_INT, "7", "1", "9", "things", true, NULL, "--number", ""},
        [POWER] = {"a.power", OPTION_POWER, "8", "1", "1024", "parts", false, NULL, NULL, ""},
        [TIME] = {"a.time", OPTION_DURATION, "1m", "1s", "1h", "s", true, "A_TIME", NULL, ""},
        [SIZE] = {"a.size", OPTION_SIZE, "1MB", "1KB", "1GB", NULL, true, "A_SIZE", NULL, ""},
        [MODE] = {"b.mode", OPTION_MODE, "0600", NULL, NULL, NULL, false, NULL, NULL, ""},
        [TEXT] = {"b.text", OPTION_TEXT, "some", NULL, NULL, NULL, false, NULL, NULL, ""},
        [WORD] = {"b.word", OPTION_WORD, "two", NULL, NULL, "one|two|three", true, NULL, NULL, ""},
        [ONE_PATH] = {"b.path", OPTION_PATH, "", NULL, NULL, NULL, false, NULL, NULL, ""},
        [PATHS] = {"b.paths", OPTION_PATHS, "x,y", NULL, NULL, NULL, false, NULL, NULL, ""},
        [ONE_DSN] = {"b.dsn", OPTION_DSN, "", NULL, NULL, NULL, false, NULL, NULL, ""},
        [DSNS] = {"b.dsns", OPTION_DSNS, "", NULL, NULL, NULL, false, NULL, NULL, ""},
};

static const struct option_origin FLAG_ORIGIN = {OPTION_FROM_FLAG, "--it", 0, 0};

static struct option_set *must_create(void)
{
        struct option_set *set;

        assert_ok(option_set_create(&set, ROWS, COUNT));
        return set;
}

static void assert_formats(const struct option_set *set, int index, const char *expected)
{
        struct buf out;

        buf_init(&out, 0);
        assert_ok(option_format(set, index, &out));
        assert_slice_is(buf_slice(&out), expected);
        buf_deinit(&out);
}

static void every_type_has_its_form(void **state)
{
        static const char *const defaults[COUNT] = {
                "true", "7", "8", "1m", "1MB", "0600", "some", "two", "", "x,y", "", ""};
        struct option_set *set = must_create();

        (void)state;
        assert_int_equal(option_count(set), COUNT);
        for (int i = 0; i < COUNT; i++) {
                assert_formats(set, i, defaults[i]);
                assert_int_equal(option_origin(set, i)->source, OPTION_FROM_DEFAULT);
                assert_ptr_equal(option_row(set, i), &ROWS[i]);
        }
        assert_int_equal(option_value(set, WORD)->number, 1);
        assert_int_equal(option_value(set, MODE)->number, 0600);
        assert_int_equal(option_value(set, PATHS)->list.count, 2);
        assert_int_equal(option_value(set, DSNS)->list.count, 0);
        option_set_destroy(&set);
        assert_null(set);
        option_set_destroy(&set);
}

static void values_of_every_type_are_taken(void **state)
{
        static const char *const values[COUNT] = {"false", "9", "1024", "90s", "1GB", "0755", "", "three", "/a b",
                "/p,q,", "host=a,b port=1", "host=a;postgres://b,c/d"};
        struct option_set *set = must_create();

        (void)state;
        for (int i = 0; i < COUNT; i++) {
                assert_ok(option_assign(set, i, values[i], &FLAG_ORIGIN, NULL));
                assert_formats(set, i, values[i]);
                assert_int_equal(option_origin(set, i)->source, OPTION_FROM_FLAG);
        }
        assert_int_equal(option_value(set, PATHS)->list.count, 3);
        assert_int_equal(option_value(set, DSNS)->list.count, 2);
        option_set_destroy(&set);
}

static void wrong_values_leave_all_as_it_was(void **state)
{
        static const struct {
                int index;
                const char *text;
                const char *message;
        } rows[] = {
                {FLAG, "1", "--it: a.flag is \"1\"; it must be true or false"},
                {NUMBER, "10", "--it: a.number is 10; it must be 1 to 9"},
                {NUMBER, "", "--it: a.number is \"\"; it must be a whole number"},
                {POWER, "12", "--it: a.power is 12; it must be a power of two"},
                {TIME, "10", "--it: a.time is 10, without a unit; write 10s"},
                {SIZE, "2GB", "--it: a.size is 2GB; it must be 1KB to 1GB"},
                {MODE, "0800", "--it: b.mode is \"0800\"; it must be permissions in octal, such as 0600"},
                {MODE, "7777", "--it: b.mode is \"7777\"; it must be permissions in octal, such as 0600"},
                {MODE, "60", "--it: b.mode is \"60\"; it must be permissions in octal, such as 0600"},
                {WORD, "four", "--it: b.word is \"four\"; it must be one, two, three"},
                {WORD, "thre", "--it: b.word is \"thre\"; it must be one, two, three (did you mean \"three\"?)"},
                {WORD, "one|two", "--it: b.word is \"one|two\"; it must be one, two, three"},
        };
        struct option_set *set = must_create();

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct err_msg msg = {""};

                assert_err(ERR_CONFIG, option_assign(set, rows[i].index, rows[i].text, &FLAG_ORIGIN, &msg));
                assert_string_equal(msg.text, rows[i].message);
                assert_int_equal(option_origin(set, rows[i].index)->source, OPTION_FROM_DEFAULT);
        }
        option_set_destroy(&set);
}

static void options_are_found_by_name_and_flag(void **state)
{
        struct option_set *set = must_create();

        (void)state;
        assert_int_equal(option_find(set, slice_str("a.time")), TIME);
        assert_int_equal(option_find(set, slice_str("a")), OPTION_NONE);
        assert_int_equal(option_find_flag(set, slice_str("--number")), NUMBER);
        assert_int_equal(option_find_flag(set, slice_str("--a.number")), NUMBER);
        assert_int_equal(option_find_flag(set, slice_str("a.number")), OPTION_NONE);
        assert_int_equal(option_find_flag(set, slice_str("")), OPTION_NONE);
        assert_int_equal(option_find_flag(set, slice_str("--")), OPTION_NONE);
        option_set_destroy(&set);
}

static void old_variables_count_in_their_own_unit(void **state)
{
        char *const environment[] = {"A_TIME=30", "A_FLAG=false", "A_SIZE=2MB", "A_TIMES=1", "B_TEXT=x", NULL};
        char *const no_unit[] = {"A_SIZE=2", NULL};
        char *const too_long[] = {"A_TIME=111111111111111111111111111111111111111111", NULL};
        struct option_set *set = must_create();
        struct err_msg msg = {""};

        (void)state;
        assert_ok(option_read_environment(set, environment, &msg));
        assert_formats(set, TIME, "30s");
        assert_formats(set, FLAG, "false");
        assert_formats(set, SIZE, "2MB");
        assert_formats(set, TEXT, "some");
        assert_err(ERR_CONFIG, option_read_environment(set, no_unit, &msg));
        assert_string_equal(msg.text, "environment variable A_SIZE: a.size is 2, without a unit; write 2MB");
        assert_err(ERR_CONFIG, option_read_environment(set, too_long, &msg));
        option_set_destroy(&set);
}

static void files_fill_options(void **state)
{
        static const char text[] = "a: {flag: false, size: 5KB}\nb:\n  path: p\n  paths:\n    - /q\n    - r\n";
        struct option_set *set = must_create();
        struct yaml_doc *doc;
        struct buf out;

        (void)state;
        assert_ok(yaml_load_text(&doc, "dir/f.yaml", slice_str(text), NULL));
        assert_ok(option_read_file(set, yaml_root(doc), NULL));
        yaml_destroy(&doc);
        assert_formats(set, FLAG, "false");
        assert_formats(set, SIZE, "5KB");
        assert_formats(set, ONE_PATH, "dir/p");
        assert_formats(set, PATHS, "/q,dir/r");
        buf_init(&out, 0);
        assert_ok(option_format_origin(option_origin(set, ONE_PATH), &out));
        assert_slice_is(buf_slice(&out), "dir/f.yaml:3");
        buf_deinit(&out);
        option_set_destroy(&set);
}

/* What is used is what was written, whole; what is shown has no password. */
static void a_password_is_taken_and_not_shown(void **state)
{
        static const char text[] = "b:\n  dsn: host=a password=s3cret\n  dsns: [\"postgres://u:s3cret@b/c\", host=d]\n";
        struct option_set *set = must_create();
        struct yaml_doc *doc;

        (void)state;
        assert_ok(yaml_load_text(&doc, "dir/f.yaml", slice_str(text), NULL));
        assert_ok(option_read_file(set, yaml_root(doc), NULL));
        yaml_destroy(&doc);
        assert_string_equal(option_value(set, ONE_DSN)->text, "host=a password=s3cret");
        assert_formats(set, ONE_DSN, "host=a password=***");
        assert_int_equal(option_value(set, DSNS)->list.count, 2);
        assert_string_equal(option_value(set, DSNS)->list.items[0], "postgres://u:s3cret@b/c");
        assert_formats(set, DSNS, "postgres://u:***@b/c;host=d");
        option_set_destroy(&set);
}

static void sections_must_be_sections(void **state)
{
        static const struct {
                const char *text;
                const char *message;
        } rows[] = {
                {"a: 1\n", "f:1:4: a must be a map of options"},
                {"a: {flag: {x: 1}}\n", "f:1:11: a.flag is a map; it must be a single value"},
                {"a: {flag: [x]}\n", "f:1:11: a.flag is a list; it must be a single value"},
                {"a: {flags: true}\n", "f:1:5: unknown key \"flags\" (did you mean \"flag\"?)"},
                {"a.flag: true\n", "f:1:1: \"a.flag\" has a dot in it; a map within a map is meant here"},
                {"b: {path: null}\n", "f:1:11: b.path has no value; its default is empty: \"\""},
                {"b: {paths: [[x]]}\n", "f:1:13: an item of b.paths must be a single value"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct option_set *set = must_create();
                struct err_msg msg = {""};
                struct yaml_doc *doc;

                assert_ok(yaml_load_text(&doc, "f", slice_str(rows[i].text), NULL));
                assert_err(ERR_CONFIG, option_read_file(set, yaml_root(doc), &msg));
                assert_string_equal(msg.text, rows[i].message);
                yaml_destroy(&doc);
                option_set_destroy(&set);
        }
}

static void sets_are_compared_and_exchanged_by_option(void **state)
{
        static const char *const values[COUNT] = {
                "false", "8", "16", "2m", "2MB", "0700", "t", "one", "p", "x,z", "host=d", "host=e;host=f"};
        struct option_set *a = must_create();
        struct option_set *b = must_create();

        (void)state;
        for (int i = 0; i < COUNT; i++) {
                assert_true(option_equal(a, b, i));
                assert_ok(option_assign(b, i, values[i], &FLAG_ORIGIN, NULL));
                assert_false(option_equal(a, b, i));
                option_swap(a, b, i);
                assert_formats(a, i, values[i]);
                assert_int_equal(option_origin(b, i)->source, OPTION_FROM_DEFAULT);
        }
        option_set_destroy(&a);
        option_set_destroy(&b);
}

static enum err fill(void *context)
{
        struct option_set *set;
        enum err rc = option_set_create(&set, ROWS, COUNT);

        (void)context;
        if (rc == OK)
                rc = option_assign(set, PATHS, "a,b,c", &FLAG_ORIGIN, NULL);
        if (rc == OK)
                rc = option_assign(set, TEXT, "text", &FLAG_ORIGIN, NULL);
        option_set_destroy(&set);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(fill, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_type_has_its_form),
                cmocka_unit_test(values_of_every_type_are_taken),
                cmocka_unit_test(wrong_values_leave_all_as_it_was),
                cmocka_unit_test(options_are_found_by_name_and_flag),
                cmocka_unit_test(old_variables_count_in_their_own_unit),
                cmocka_unit_test(files_fill_options),
                cmocka_unit_test(a_password_is_taken_and_not_shown),
                cmocka_unit_test(sections_must_be_sections),
                cmocka_unit_test(sets_are_compared_and_exchanged_by_option),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
