#include "database/lmdb_head.h"
#include "tests/lib/test.h"

static void what_is_encoded_is_decoded(void **state)
{
        const struct lmdb_head head = {
                {0x0102030405060708}, {.activity = {9, 10, 11, 12, 13, 14, 15, 16}, .severity = {17, 18}}};
        uint8_t bytes[LMDB_HEAD_SIZE];
        struct lmdb_head out;

        (void)state;
        lmdb_head_encode(&head, bytes);
        for (size_t i = 0; i < sizeof(bytes); i++)
                assert_int_equal(bytes[i], i + 1);
        assert_true(lmdb_head_decode(slice_of(bytes, sizeof(bytes)), &out));
        assert_int_equal(out.position.n, head.position.n);
        assert_memory_equal(&out.ranks, &head.ranks, sizeof(head.ranks));
}

static void another_length_is_no_head(void **state)
{
        uint8_t bytes[LMDB_HEAD_SIZE + 1] = {0};
        struct lmdb_head out;

        (void)state;
        for (size_t len = 0; len <= sizeof(bytes); len++)
                assert_int_equal(lmdb_head_decode(slice_of(bytes, len), &out), len == LMDB_HEAD_SIZE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_encoded_is_decoded),
                cmocka_unit_test(another_length_is_no_head),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
