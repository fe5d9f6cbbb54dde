#include "invalidation/pg_hint.h"

#include "database/tag.h"
#include "tests/lib/test.h"

#include <stdio.h>

enum { SEED = 7, TAGS = 300 };
#define SENDER UINT64_C(0x0102030405060708)

static uint8_t bytes[TAGS][TAG_BINARY_MAX];
static struct slice tags[TAGS];
static uint64_t hashes[TAGS];

static int make_tags(void **state)
{
        (void)state;
        for (unsigned i = 0; i < TAGS; i++) {
                char id[16];
                struct tag tag = {.kind = TAG_STUDENT_TABLE, .table = slice_str("allergies")};

                (void)snprintf(id, sizeof(id), "%u", i);
                tag.id = slice_str(id);
                tags[i] = slice_of(bytes[i], tag_encode(&tag, bytes[i]));
                hashes[i] = tag_hash(&tag, SEED);
        }
        return 0;
}

static void what_is_written_is_read_however_many_payloads_it_takes(void **state)
{
        struct tag_hashes read = {0};
        struct buf out;
        size_t payloads = 0;

        (void)state;
        buf_init(&out, 0);
        for (size_t done = 0, taken; done < TAGS; done += taken, payloads++) {
                uint64_t sender = 0;

                assert_ok(pg_hint_write(SENDER, tags + done, TAGS - done, &out, &taken));
                assert_true(taken > 0);
                assert_int_equal(buf_slice(&out).data[buf_len(&out) - 1], 0);
                assert_true(buf_len(&out) - 1 <= PG_HINT_TEXT_MAX);
                assert_ok(pg_hint_read((const char *)buf_slice(&out).data, SEED, &sender, &read));
                assert_true(sender == SENDER);
                buf_consume(&out, buf_len(&out));
        }
        assert_true(payloads > 1);
        assert_int_equal(read.count, TAGS);
        for (unsigned i = 0; i < TAGS; i++)
                assert_true(read.hashes[i] == hashes[i]);
        tag_hashes_deinit(&read);
        buf_deinit(&out);
}

static void the_longest_tag_has_a_payload_of_its_own(void **state)
{
        uint8_t longest[TAG_BINARY_MAX] = {TAG_CONTAINER};
        const struct slice two[] = {slice_of(longest, sizeof(longest)), slice_of(longest, sizeof(longest))};
        struct buf out;
        size_t taken;

        (void)state;
        buf_init(&out, 0);
        assert_ok(pg_hint_write(SENDER, two, 2, &out, &taken));
        assert_int_equal(taken, 1);
        buf_deinit(&out);
}

static void what_is_no_hint_is_refused_and_adds_nothing(void **state)
{
        static const char *const bad[] = {
                "",
                "0",
                "01",
                "zz",
                "hello",
                "02"
                "0102030405060708",
                "01"
                "01020304050607",
                "01"
                "0102030405060708"
                "00",
                "01"
                "0102030405060708"
                "0000",
                "01"
                "0102030405060708"
                "000204",
                "01"
                "0102030405060708"
                "000104"
                "0",
                "01"
                "0102030405060708"
                "000104"
                "0002aa",
                "01"
                "0102030405060708"
                "0001AA",
        };
        struct tag_hashes read = {0};
        char long_one[2 * PG_HINT_TEXT_MAX];
        uint64_t sender;

        (void)state;
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_err(ERR_PROTOCOL, pg_hint_read(bad[i], SEED, &sender, &read));
        memset(long_one, '0', sizeof(long_one) - 1);
        long_one[sizeof(long_one) - 1] = '\0';
        assert_err(ERR_PROTOCOL, pg_hint_read(long_one, SEED, &sender, &read));
        assert_int_equal(read.count, 0);
        tag_hashes_deinit(&read);
}

static void a_hint_of_no_tag_is_one(void **state)
{
        struct tag_hashes read = {0};
        uint64_t sender = 0;

        (void)state;
        assert_ok(pg_hint_read("010000000000000009", SEED, &sender, &read));
        assert_true(sender == 9 && read.count == 0);
}

static enum err write_and_read(void *context)
{
        struct tag_hashes read = {0};
        struct buf out;
        uint64_t sender;
        size_t taken;
        enum err rc;

        (void)context;
        buf_init(&out, 0);
        rc = pg_hint_write(SENDER, tags, 3, &out, &taken);
        if (rc == OK)
                rc = pg_hint_read((const char *)buf_slice(&out).data, SEED, &sender, &read);
        tag_hashes_deinit(&read);
        buf_deinit(&out);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(write_and_read, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read_however_many_payloads_it_takes),
                cmocka_unit_test(the_longest_tag_has_a_payload_of_its_own),
                cmocka_unit_test(what_is_no_hint_is_refused_and_adds_nothing),
                cmocka_unit_test(a_hint_of_no_tag_is_one),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, make_tags, NULL);
}
