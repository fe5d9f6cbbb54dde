#include "database/lmdb_record.h"
#include "tests/lib/test.h"

static const struct lmdb_record RECORD = {
        .schema = 7,
        .version = {0x0102030405060708},
        .student = {(const uint8_t *)"somebody", 8},
        .map = {(const uint8_t *)"\x80", 1},
        .original = {.coding = 1,
                .whole_len = 300,
                .hash = 0x1112131415161718,
                .bytes = {(const uint8_t *)"packed", 6}},
};

static void what_is_encoded_is_decoded(void **state)
{
        static const char expected[] = "\x02\x03\x00\x00\x00\x07\x01\x02\x03\x04\x05\x06\x07\x08\x00\x08somebody"
                                       "\x01\x00\x00\x00\x06\x00\x00\x01\x2c\x11\x12\x13\x14\x15\x16\x17\x18\x80packed";
        uint8_t bytes[64];
        struct lmdb_record out;
        size_t len = lmdb_record_size(&RECORD);

        (void)state;
        assert_int_equal(len, sizeof(expected) - 1);
        lmdb_record_encode(&RECORD, bytes);
        assert_memory_equal(bytes, expected, len);
        assert_true(lmdb_record_decode(slice_of(bytes, len), &out));
        assert_int_equal(out.schema, 7);
        assert_int_equal(out.version.n, RECORD.version.n);
        assert_slice_is(out.student, "somebody");
        assert_slice_is(out.map, "\x80");
        assert_slice_is(out.original.bytes, "packed");
        assert_int_equal(out.original.coding, 1);
        assert_int_equal(out.original.whole_len, 300);
        assert_true(out.original.hash == RECORD.original.hash);
}

static void most_records_have_a_short_head(void **state)
{
        const struct lmdb_record record = {.schema = 1, .version = {2}, .map = RECORD.map};
        uint8_t bytes[64];
        struct lmdb_record out = RECORD;

        (void)state;
        assert_int_equal(lmdb_record_size(&record), 1 + 1 + 4 + 8 + 1);
        lmdb_record_encode(&record, bytes);
        assert_true(lmdb_record_decode(slice_of(bytes, lmdb_record_size(&record)), &out));
        assert_slice_is(out.student, "");
        assert_slice_is(out.map, "\x80");
        assert_slice_is(out.original.bytes, "");
}

static void damaged_heads_are_refused(void **state)
{
        uint8_t bytes[64];
        struct lmdb_record out;
        size_t len = lmdb_record_size(&RECORD);

        (void)state;
        lmdb_record_encode(&RECORD, bytes);
        for (size_t cut = 0; cut + RECORD.original.bytes.len < len; cut++)
                assert_false(lmdb_record_decode(slice_of(bytes, cut), &out));
        bytes[0] = LMDB_RECORD_FORMAT + 1;
        assert_false(lmdb_record_decode(slice_of(bytes, len), &out));
}

static void numbers_take_eight_bytes_exactly(void **state)
{
        uint8_t bytes[9] = {0};
        uint64_t n;

        (void)state;
        lmdb_put_u64(bytes, UINT64_C(0xfedcba9876543210));
        assert_memory_equal(bytes, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
        assert_true(lmdb_get_u64(slice_of(bytes, 8), &n));
        assert_int_equal(n, UINT64_C(0xfedcba9876543210));
        assert_false(lmdb_get_u64(slice_of(bytes, 7), &n));
        assert_false(lmdb_get_u64(slice_of(bytes, 9), &n));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_encoded_is_decoded),
                cmocka_unit_test(most_records_have_a_short_head),
                cmocka_unit_test(damaged_heads_are_refused),
                cmocka_unit_test(numbers_take_eight_bytes_exactly),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
