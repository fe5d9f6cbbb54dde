/* Records of the first format are read to their last byte, and nothing else is taken for one. */
#include "database/lmdb_format1.h"

#include "tests/lib/test.h"

static const uint8_t KEY[] = {0, 0, 6, 'v', 'i', 's', 'i', 't', 's', 0, 2, '4', '2', 'a'};
static const uint8_t VALUE[] = {1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0x81, 0xa2, 'i', 'd', 0xa1, 'a'};

enum { VALUE_HEAD = 15 };

static void takes_key_and_value_apart(void **state)
{
        struct lmdb_format1_record record;

        (void)state;
        assert_true(lmdb_format1_read(slice_of(KEY, sizeof(KEY)), slice_of(VALUE, sizeof(VALUE)), &record));
        assert_int_equal(record.tenant.len, 0);
        assert_string_equal(record.table, "visits");
        assert_slice_is(record.student, "42");
        assert_slice_is(record.id, "a");
        assert_int_equal(record.schema, 3);
        assert_int_equal(record.version.n, 0x102);
        assert_int_equal(record.map.len, sizeof(VALUE) - VALUE_HEAD);
}

static void refuses_what_is_cut(void **state)
{
        struct lmdb_format1_record record;

        (void)state;
        for (size_t len = 0; len < sizeof(KEY); len++)
                assert_false(lmdb_format1_read(slice_of(KEY, len), slice_of(VALUE, sizeof(VALUE)), &record));
        for (size_t len = 0; len < VALUE_HEAD; len++)
                assert_false(lmdb_format1_read(slice_of(KEY, sizeof(KEY)), slice_of(VALUE, len), &record));
}

static void refuses_other_formats(void **state)
{
        struct lmdb_format1_record record;
        uint8_t other[sizeof(VALUE)];

        (void)state;
        memcpy(other, VALUE, sizeof(VALUE));
        other[0] = 2;
        assert_false(lmdb_format1_read(slice_of(KEY, sizeof(KEY)), slice_of(other, sizeof(other)), &record));
}

/* Of an id over 64 bytes the key has a hash; the whole one stands in the value. */
static void refuses_a_hash_without_its_id(void **state)
{
        struct lmdb_format1_record record;
        uint8_t key[sizeof(KEY)];

        (void)state;
        memcpy(key, KEY, sizeof(KEY));
        key[11] = 0xff;
        assert_false(lmdb_format1_read(slice_of(key, sizeof(key)), slice_of(VALUE, sizeof(VALUE)), &record));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(takes_key_and_value_apart),
                cmocka_unit_test(refuses_what_is_cut),
                cmocka_unit_test(refuses_other_formats),
                cmocka_unit_test(refuses_a_hash_without_its_id),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
