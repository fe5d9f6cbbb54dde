#include "database/type_tags.h"
#include "tests/lib/test.h"

static const struct record_table students_table = {.name = "students"};
static const struct record_table allergies_table = {.name = "allergies", .index = 1};
static const struct record_table *const reads_of_allergies[] = {&allergies_table, &students_table};
static const struct record_type allergies = {
        .name = "allergies", .table = &allergies_table, .reads = reads_of_allergies, .read_count = 2};

/* Each line of the expected text is a tag, in order. */
static void append_tag(void *context, const struct tag *tag)
{
        struct buf *text = context;

        assert_slice_is(tag->tenant, "north");
        assert_ok(tag_format(tag, text));
        assert_ok(buf_append_str(text, "\n"));
}

static void names_every_table_that_is_read_and_the_wide_ones(void **state)
{
        struct buf text;

        (void)state;
        buf_init(&text, 0);
        type_tags(&allergies, slice_str("north"), slice_str("42"), append_tag, &text);
        assert_slice_is(buf_slice(&text), "student:42/allergies\n"
                                          "student:42/students\n"
                                          "student:42\n"
                                          "allergies\n"
                                          "students\n"
                                          "*\n");
        buf_deinit(&text);
}

static void of_another_subject_they_are_containers(void **state)
{
        static const struct record_subject school = {.name = "school"};
        struct record_type board = allergies;
        struct buf text;

        (void)state;
        board.subject = &school;
        buf_init(&text, 0);
        type_tags(&board, slice_str("north"), slice_str("9"), append_tag, &text);
        assert_slice_is(buf_slice(&text), "school:9/allergies\n"
                                          "school:9/students\n"
                                          "allergies\n"
                                          "students\n"
                                          "*\n");
        buf_deinit(&text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_every_table_that_is_read_and_the_wide_ones),
                cmocka_unit_test(of_another_subject_they_are_containers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
