#include "cache/cache_key.h"
#include "tests/lib/test.h"

static const struct record_type allergies = {.name = "allergies"};

static void is_format_tenant_and_key(void **state)
{
        struct cache_key key;

        (void)state;
        cache_key_make(&key, FORMAT_MSGPACK, &allergies, slice_str("north"), slice_str("42"));
        assert_int_equal(key.len, 1 + 2 + 5 + 12);
        assert_memory_equal(key.bytes, "\x01\x00\x05northallergies:42", key.len);
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

/* A tenant whose name ends as another's key begins is not taken for that one. */
static void tenants_do_not_run_into_ids(void **state)
{
        const struct record_type type = {.name = "a"};
        struct cache_key one;
        struct cache_key other;

        (void)state;
        cache_key_make(&one, FORMAT_JSON, &type, slice_str("x"), slice_str("a:1"));
        cache_key_make(&other, FORMAT_JSON, &type, slice_str("xa:"), slice_str("1"));
        assert_int_equal(one.len, other.len);
        assert_false(slice_equal(cache_key_of_entry(&one), cache_key_of_entry(&other)));
        assert_false(slice_equal(cache_key_of_fill(&one), cache_key_of_fill(&other)));
}

static void the_longest_parts_fit(void **state)
{
        char name[RECORD_NAME_MAX + 1] = {0};
        const struct record_type type = {.name = name};
        static uint8_t bytes[TAG_PART_MAX];
        struct cache_key key;

        (void)state;
        memset(name, 't', RECORD_NAME_MAX);
        cache_key_make(&key, FORMAT_JSON, &type, slice_of(bytes, TAG_PART_MAX), slice_of(bytes, RECORD_ID_MAX));
        assert_int_equal(key.len, CACHE_KEY_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_format_tenant_and_key),
                cmocka_unit_test(formats_share_a_fill_and_no_entry),
                cmocka_unit_test(tenants_do_not_run_into_ids),
                cmocka_unit_test(the_longest_parts_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
