#include "cache/forget.h"

#include "cache/cache_key.h"
#include "cache/l1.h"
#include "tests/lib/test.h"

#define TYPES_FILE VC_SOURCE_DIR "/conf/types/school-health.yaml"

struct state {
        struct record_types *types;
        struct l1 *l1;
};

static void put(struct state *s, enum wire_format format, const struct record_type *type, const char *id)
{
        struct l1_view view = {.value = slice_str("peanuts"), .found = true, .stamp = {.epoch = 1}};
        struct cache_key key;

        cache_key_make(&key, format, type, SLICE_EMPTY, slice_str(id));
        view.key = cache_key_of_entry(&key);
        view.stamp.expires = nanos_ms(1000);
        assert_ok(l1_put(s->l1, &view));
}

static void takes_every_type_and_format_of_one_student(void **state)
{
        const struct l1_config config = {.max_bytes = 1 << 20, .shards = 4, .policy = "lru", .seed = 42};
        const char *const file = TYPES_FILE;
        struct state s;
        struct l1_usage usage;
        uint32_t count;

        (void)state;
        assert_ok(record_types_load(&s.types, &file, 1, NULL));
        assert_ok(l1_create(&s.l1, &config, NULL));
        count = record_types_count(s.types);
        for (uint32_t i = 0; i < count; i++)
                for (int format = 0; format < FORMAT_COUNT_; format++) {
                        put(&s, (enum wire_format)format, record_types_at(s.types, i), "42");
                        put(&s, (enum wire_format)format, record_types_at(s.types, i), "421");
                }
        forget_student(s.l1, s.types, SLICE_EMPTY, slice_str("42"));
        l1_usage(s.l1, &usage);
        assert_int_equal(usage.entries, count * FORMAT_COUNT_); /* those of the other student */
        forget_student(s.l1, s.types, SLICE_EMPTY, slice_str("421"));
        l1_usage(s.l1, &usage);
        assert_int_equal(usage.entries, 0);
        l1_destroy(&s.l1);
        forget_student(NULL, s.types, SLICE_EMPTY, slice_str("42"));
        record_types_destroy(&s.types);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(takes_every_type_and_format_of_one_student)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
