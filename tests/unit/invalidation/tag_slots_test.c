/* What an entry's key makes its tags, against the texts of the same tags. */
#include "invalidation/tag_slots.h"
#include "database/type_tags.h"
#include "tests/lib/test.h"

#include <string.h>

enum { SLOTS = 1 << 20 };

struct expected {
        const struct freshness *freshness;
        uint32_t count;
        uint32_t slots[STAMP_TAGS_MAX];
};

static void expect(void *context, const struct tag *tag)
{
        struct expected *e = context;

        assert_true(e->count < STAMP_TAGS_MAX);
        e->slots[e->count++] = freshness_slot_of(e->freshness, tag_hash(tag, freshness_tag_seed(e->freshness)));
}

static void assert_same_tags(const struct freshness *f, const struct record_type *type, struct slice tenant)
{
        const struct tag_owner owner = {type, tenant, slice_str("4711")};
        struct expected e = {.freshness = f};
        uint32_t slots[STAMP_TAGS_MAX];
        struct stamp stamp;

        type_tags(type, tenant, owner.id, expect, &e);
        tag_slots(f, &owner, &stamp, slots);
        assert_ptr_equal(stamp.tags, slots);
        assert_int_equal(stamp.tag_count, e.count);
        for (uint32_t i = 0; i < e.count; i++)
                assert_int_equal(slots[i], e.slots[i]);
}

static struct freshness *truth(void)
{
        const struct freshness_config config = {.slots = SLOTS, .tag_seed = 11, .always_certain = true};
        struct freshness *f;

        assert_ok(freshness_create(&f, &config));
        return f;
}

static void are_those_of_every_shipped_type(void **state)
{
        const char *const file = VC_SOURCE_DIR "/conf/types/school-health.yaml";
        struct record_types *types;
        struct freshness *f = truth();

        (void)state;
        assert_ok(record_types_load(&types, &file, 1, NULL));
        for (uint32_t i = 0; i < record_types_count(types); i++) {
                assert_same_tags(f, record_types_at(types, i), SLICE_EMPTY);
                assert_same_tags(f, record_types_at(types, i), slice_str("north"));
        }
        record_types_destroy(&types);
        freshness_destroy(&f);
}

static void are_those_of_a_container_and_of_tables_whose_hash_is_not_known(void **state)
{
        const struct record_table tables[] = {{.name = "visits"}, {.name = "students"}, {.name = "allergies"}};
        const struct record_table *const reads[] = {&tables[0], &tables[1], &tables[2]};
        const struct record_subject school = {.name = "school"};
        struct record_type type = {.reads = reads, .read_count = 3};
        struct freshness *f = truth();

        (void)state;
        assert_same_tags(f, &type, SLICE_EMPTY);
        type.subject = &school;
        assert_same_tags(f, &type, SLICE_EMPTY);
        assert_same_tags(f, &type, slice_str("north"));
        freshness_destroy(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(are_those_of_every_shipped_type),
                cmocka_unit_test(are_those_of_a_container_and_of_tables_whose_hash_is_not_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
