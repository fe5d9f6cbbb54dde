#include "cache/cache_key.h"
#include "tests/lib/test.h"

static const struct record_type allergies = {.name = "allergies", .index = 7};

static void is_format_type_tenant_and_id(void **state)
{
        struct cache_key key;

        (void)state;
        cache_key_make(&key, FORMAT_MSGPACK, &allergies, slice_str("north"), slice_str("42"));
        assert_int_equal(key.len, 2 + 2 + 5 + 2);
        assert_memory_equal(key.bytes, "\x01\x07\x00\x05north42", key.len);
}

static void formats_share_a_fill_and_no_entry(void **state)
{
        struct cache_key json;
        struct cache_key msgpack;

        (void)state;
        cache_key_make(&json, FORMAT_JSON, &allergies, SLICE_EMPTY, slice_str("42"));
        cache_key_make(&msgpack, FORMAT_MSGPACK, &allergies, SLICE_EMPTY, slice_str("42"));
        assert_true(slice_equal(cache_key_of_fill(&json), cache_key_of_fill(&msgpack)));
        assert_false(slice_equal(cache_key_of_entry(&json), cache_key_of_entry(&msgpack)));
}

static void types_share_nothing(void **state)
{
        const struct record_type visits = {.name = "visits", .index = 8};
        struct cache_key one;
        struct cache_key other;

        (void)state;
        cache_key_make(&one, FORMAT_JSON, &allergies, SLICE_EMPTY, slice_str("42"));
        cache_key_make(&other, FORMAT_JSON, &visits, SLICE_EMPTY, slice_str("42"));
        assert_false(slice_equal(cache_key_of_entry(&one), cache_key_of_entry(&other)));
        assert_false(slice_equal(cache_key_of_fill(&one), cache_key_of_fill(&other)));
}

/* A tenant whose name ends as another's id begins is not taken for that one. */
static void tenants_do_not_run_into_ids(void **state)
{
        const struct record_type type = {.name = "a"};
        struct cache_key one;
        struct cache_key other;

        (void)state;
        cache_key_make(&one, FORMAT_JSON, &type, slice_str("x"), slice_str("a1"));
        cache_key_make(&other, FORMAT_JSON, &type, slice_str("xa"), slice_str("1"));
        assert_int_equal(one.len, other.len);
        assert_false(slice_equal(cache_key_of_entry(&one), cache_key_of_entry(&other)));
        assert_false(slice_equal(cache_key_of_fill(&one), cache_key_of_fill(&other)));
}

static void the_longest_parts_fit(void **state)
{
        const struct record_type type = {.name = "t", .index = RECORD_TYPES_MAX - 1};
        static uint8_t bytes[TAG_PART_MAX];
        struct cache_key key;

        (void)state;
        cache_key_make(&key, FORMAT_JSON, &type, slice_of(bytes, TAG_PART_MAX), slice_of(bytes, RECORD_ID_MAX));
        assert_int_equal(key.len, CACHE_KEY_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_format_type_tenant_and_id),
                cmocka_unit_test(formats_share_a_fill_and_no_entry),
                cmocka_unit_test(types_share_nothing),
                cmocka_unit_test(tenants_do_not_run_into_ids),
                cmocka_unit_test(the_longest_parts_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
