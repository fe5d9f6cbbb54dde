#include "import/import_names.h"
#include "tests/lib/test.h"

#include <stdio.h>

static void a_name_is_the_same_each_time(void **state)
{
        struct import_names names;
        const char *first;
        const char *again;
        const char *other;

        (void)state;
        import_names_init(&names);
        assert_ok(import_names_get(&names, slice_str("allergies"), &first));
        assert_ok(import_names_get(&names, slice_str("visits_2"), &other));
        assert_ok(import_names_get(&names, slice_str("allergies"), &again));
        assert_string_equal(first, "allergies");
        assert_ptr_equal(first, again);
        assert_ptr_not_equal(first, other);
        import_names_deinit(&names);
}

static void what_names_no_table_is_refused(void **state)
{
        static const char *const bad[] = {
                "", "Allergies", "a b", "a-b", "caf\xc3\xa9", "a23456789012345678901234567890123456789012345678x"};
        struct import_names names;
        const char *name;

        (void)state;
        import_names_init(&names);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_err(ERR_BADVALUE, import_names_get(&names, slice_str(bad[i]), &name));
                assert_null(name);
        }
        import_names_deinit(&names);
}

static void an_input_cannot_make_names_without_end(void **state)
{
        struct import_names names;
        const char *name;
        char text[16];

        (void)state;
        import_names_init(&names);
        for (int i = 0; i < IMPORT_NAMES_MAX; i++) {
                (void)snprintf(text, sizeof(text), "t%d", i);
                assert_ok(import_names_get(&names, slice_str(text), &name));
        }
        assert_err(ERR_BADVALUE, import_names_get(&names, slice_str("one_more"), &name));
        assert_ok(import_names_get(&names, slice_str("t7"), &name));
        import_names_deinit(&names);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_is_the_same_each_time),
                cmocka_unit_test(what_names_no_table_is_refused),
                cmocka_unit_test(an_input_cannot_make_names_without_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
