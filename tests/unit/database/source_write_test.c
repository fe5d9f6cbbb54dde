#include "database/source_write.h"
#include "tests/lib/test.h"

static void students_come_off_in_the_order_of_their_coming(void **state)
{
        char longest[RECORD_ID_MAX];
        struct buf touched;
        struct slice left;
        struct slice student;

        (void)state;
        memset(longest, 'x', sizeof(longest));
        buf_init(&touched, 0);
        assert_ok(source_touched_add(&touched, slice_str("42")));
        assert_ok(source_touched_add(&touched, slice_of(longest, sizeof(longest))));
        assert_ok(source_touched_add(&touched, slice_str("7")));
        left = buf_slice(&touched);
        assert_true(source_touched_next(&left, &student));
        assert_slice_is(student, "42");
        assert_true(source_touched_next(&left, &student));
        assert_int_equal(student.len, sizeof(longest));
        assert_true(source_touched_next(&left, &student));
        assert_slice_is(student, "7");
        assert_false(source_touched_next(&left, &student));
        buf_deinit(&touched);
}

static void there_is_nobody_in_nothing_or_in_half_an_entry(void **state)
{
        struct slice left = SLICE_EMPTY;
        struct slice student;

        (void)state;
        assert_false(source_touched_next(&left, &student));
        left = slice_of("\x00\x02x", 3);
        assert_false(source_touched_next(&left, &student));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(students_come_off_in_the_order_of_their_coming),
                cmocka_unit_test(there_is_nobody_in_nothing_or_in_half_an_entry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
