#include "cache/lookup.h"
#include "tests/lib/cache_rig.h"

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
        lookup_tags(&rig_allergies, slice_str("north"), slice_str("42"), append_tag, &text);
        assert_slice_is(buf_slice(&text), "student:42/allergies\n"
                                          "student:42/students\n"
                                          "student:42\n"
                                          "allergies\n"
                                          "students\n"
                                          "*\n");
        buf_deinit(&text);
}

/* Whichever of an entry's tags is touched, the entry is void, be it positive or negative; and no other is. */
static void touching_any_of_them_voids_the_entry(void **state)
{
        const struct tag mine[] = {
                {.kind = TAG_STUDENT_TABLE, .student = slice_str("42"), .table = slice_str("allergies")},
                {.kind = TAG_STUDENT_TABLE, .student = slice_str("42"), .table = slice_str("students")},
                {.kind = TAG_STUDENT, .student = slice_str("42")},
                {.kind = TAG_TABLE, .table = slice_str("allergies")},
                {.kind = TAG_TABLE, .table = slice_str("students")},
                {.kind = TAG_ALL},
        };
        const struct tag others[] = {
                {.kind = TAG_STUDENT_TABLE, .student = slice_str("42"), .table = slice_str("visits")},
                {.kind = TAG_STUDENT_TABLE, .student = slice_str("43"), .table = slice_str("allergies")},
                {.kind = TAG_STUDENT, .student = slice_str("43")},
                {.kind = TAG_TABLE, .table = slice_str("visits")},
                {.kind = TAG_ALL, .tenant = slice_str("south")},
        };
        const size_t mine_count = sizeof(mine) / sizeof(mine[0]);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        for (size_t i = 0; i < mine_count + sizeof(others) / sizeof(others[0]); i++) {
                const struct tag *tag = i < mine_count ? &mine[i] : &others[i - mine_count];
                uint64_t hash = tag_hash(tag, freshness_tag_seed(rig.freshness));
                struct position position = {fake_source_advance(rig.fake)};

                freshness_poison(rig.freshness, &hash, 1);
                freshness_touch(rig.freshness, &hash, 1, position);
                rig_expect(&rig, "42", NULL, i < mine_count ? TIER_DATABASE : TIER_L1);
        }
        rig_deinit(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_every_table_that_is_read_and_the_wide_ones),
                cmocka_unit_test(touching_any_of_them_voids_the_entry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
