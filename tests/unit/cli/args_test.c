#include "cli/args.h"
#include "tests/lib/test.h"

static int count_words(char *const *argv)
{
        int count = 0;

        while (argv[count] != NULL)
                count++;
        return count;
}

static void flags_stand_anywhere_and_words_keep_their_order(void **state)
{
        char *argv[] = {"vitalcache", "--port", "7", "mget", "a:1", "--json", "b:2", "--after=t", "c:3", NULL};
        struct cli_args args;

        (void)state;
        assert_ok(args_init(&args, count_words(argv), argv, NULL));
        assert_string_equal(args.command->name, "mget");
        assert_int_equal(args.word_count, 3);
        assert_string_equal(args.words[0], "a:1");
        assert_string_equal(args.words[2], "c:3");
        assert_string_equal(args.flags[FLAG_port], "7");
        assert_string_equal(args.flags[FLAG_after], "t");
        assert_string_equal(args.flags[FLAG_json], "");
        assert_null(args.flags[FLAG_host]);
        args_deinit(&args);
}

static void behind_two_dashes_all_is_words(void **state)
{
        char *argv[] = {"vitalcache", "put", "--if", "NEW", "--", "a:1", "--json", NULL};
        struct cli_args args;

        (void)state;
        assert_ok(args_init(&args, count_words(argv), argv, NULL));
        assert_int_equal(args.word_count, 2);
        assert_string_equal(args.words[1], "--json");
        assert_null(args.flags[FLAG_json]);
        args_deinit(&args);
}

static void numbers_are_held_to_their_bounds(void **state)
{
        static const struct {
                const char *text;
                bool good;
        } cases[] = {{"1", true}, {"10", true}, {"0", false}, {"11", false}, {"", false}, {"x", false}, {"+5", false},
                {"05", false}, {"99999999999999999999", false}};
        const struct cli_number number = {FLAG_students, 7, 1, 10};
        uint64_t value;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct cli_args args = {.flags = {[FLAG_students] = cases[i].text}};

                if (cases[i].good)
                        assert_ok(args_number(&args, &number, &value, NULL));
                else
                        assert_err(ERR_SYNTAX, args_number(&args, &number, &value, NULL));
        }
        assert_ok(args_number(&(struct cli_args){.command = NULL}, &number, &value, NULL));
        assert_int_equal(value, 7);
}

static enum err read_some(void *context)
{
        char *argv[] = {"vitalcache", "get", "a:1", NULL};
        struct cli_args args;
        enum err rc = args_init(&args, 3, argv, NULL);

        (void)context;
        args_deinit(&args);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(read_some, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(flags_stand_anywhere_and_words_keep_their_order),
                cmocka_unit_test(behind_two_dashes_all_is_words),
                cmocka_unit_test(numbers_are_held_to_their_bounds),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
