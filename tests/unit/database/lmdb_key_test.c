#include "database/lmdb_key.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "tests/lib/test.h"

#include <stdio.h>

static const struct slice TENANT = {(const uint8_t *)"north", 5};

static struct lmdb_key key_of(const char *table, const char *student, const char *record)
{
        struct lmdb_key key;

        lmdb_key_student(&key, TENANT, table, slice_str(student));
        if (record != NULL)
                lmdb_key_add_record(&key, slice_str(record));
        return key;
}

static void a_key_has_the_documented_bytes(void **state)
{
        const struct lmdb_key key = key_of("visits", "42", "v1");
        static const char expected[] = "\x05north\x06visits\x02"
                                       "42v1";

        (void)state;
        assert_int_equal(key.len, sizeof(expected) - 1);
        assert_memory_equal(key.bytes, expected, key.len);
}

static void a_key_comes_apart_into_its_parts(void **state)
{
        static const uint8_t rank[] = {1, 2, 3, 4, 5, 6, 7, 8};
        struct lmdb_key_parts parts;
        struct lmdb_key key;

        (void)state;
        for (size_t len = 0; len <= sizeof(rank); len++) {
                lmdb_key_start(&key, TENANT, "visits");
                lmdb_key_add_rank(&key, rank, len);
                lmdb_key_add_student(&key, slice_str("42"));
                lmdb_key_add_record(&key, slice_str("v1"));
                assert_true(lmdb_key_split(lmdb_key_slice(&key), len, &parts));
                assert_slice_is(parts.tenant, "north");
                assert_slice_is(parts.table, "visits");
                assert_true(slice_equal(parts.rank, slice_of(rank, len)));
                assert_slice_is(parts.student, "42");
                assert_slice_is(parts.record, "v1");
        }
}

static void no_two_places_share_a_run(void **state)
{
        /* what runs together when parts are just strung together */
        const struct lmdb_key run = key_of("visits", "4", NULL);
        const struct lmdb_key other = key_of("visits", "42", "v");
        const struct lmdb_key own = key_of("visits", "4", "2v");
        struct lmdb_key no_tenant;

        (void)state;
        assert_true(lmdb_key_has_prefix(lmdb_key_slice(&own), &run));
        assert_false(lmdb_key_has_prefix(lmdb_key_slice(&other), &run));
        lmdb_key_student(&no_tenant, SLICE_EMPTY, "visits", slice_str("4"));
        assert_false(lmdb_key_has_prefix(lmdb_key_slice(&own), &no_tenant));
        assert_false(lmdb_key_has_prefix(SLICE_EMPTY, &run));
}

static void long_ids_become_hashes_that_no_text_equals(void **state)
{
        char longest[512];
        char other[512];
        struct lmdb_key a;
        struct lmdb_key b;
        struct lmdb_key_parts parts;

        (void)state;
        memset(longest, 'x', sizeof(longest));
        memset(other, 'x', sizeof(other));
        other[511] = 'y';
        lmdb_key_student(&a, slice_of(longest, 512), "visits", slice_of(longest, 512));
        lmdb_key_add_record(&a, slice_of(longest, 512));
        assert_true(a.len <= 511); /* LMDB's longest key */
        lmdb_key_student(&b, slice_of(longest, 512), "visits", slice_of(longest, 512));
        lmdb_key_add_record(&b, slice_of(other, 512));
        assert_false(slice_equal(lmdb_key_slice(&a), lmdb_key_slice(&b)));
        assert_true(lmdb_key_split(lmdb_key_slice(&a), 0, &parts));
        assert_true(lmdb_part_is_hash(parts.tenant));
        assert_true(lmdb_part_is_hash(parts.student));
        assert_true(lmdb_part_is_hash(parts.record));
        assert_true(lmdb_part_is_of(parts.record, slice_of(longest, 512)));
        assert_false(lmdb_part_is_of(parts.record, slice_of(other, 512)));
        assert_false(slice_is_utf8(parts.record));
}

static void ids_up_to_64_bytes_are_stored_as_they_are(void **state)
{
        char text[65];
        struct lmdb_key key;
        struct lmdb_key_parts parts;

        (void)state;
        memset(text, 'x', sizeof(text));
        lmdb_key_student(&key, SLICE_EMPTY, "visits", slice_of(text, 64));
        lmdb_key_add_record(&key, slice_of(text, 65));
        assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
        assert_true(slice_equal(parts.student, slice_of(text, 64)));
        assert_true(lmdb_part_is_hash(parts.record));
}

#define UUID "0123abcd-4567-89ef-0123-456789abcdef"

static void uuids_are_stored_in_half_their_length(void **state)
{
        static const char expected[] = "\x00\x06visits\x11\xfe\x01\x23\xab\xcd\x45\x67\x89\xef\x01\x23\x45\x67"
                                       "\x89\xab\xcd\xef\xfe\x01\x23\xab\xcd\x45\x67\x89\xef\x01\x23\x45\x67"
                                       "\x89\xab\xcd\xef";
        char room[LMDB_UUID_TEXT];
        struct lmdb_key key;
        struct lmdb_key_parts parts;

        (void)state;
        lmdb_key_student(&key, SLICE_EMPTY, "visits", slice_str(UUID));
        lmdb_key_add_record(&key, slice_str(UUID));
        assert_int_equal(key.len, sizeof(expected) - 1);
        assert_memory_equal(key.bytes, expected, key.len);
        assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
        assert_false(lmdb_part_is_hash(parts.student));
        assert_slice_is(lmdb_part_id(parts.student, room), UUID);
        assert_slice_is(lmdb_part_id(parts.record, room), UUID);
        assert_true(lmdb_part_is_of(parts.record, slice_str(UUID)));
}

static void what_only_looks_like_a_uuid_is_stored_as_it_is(void **state)
{
        const char *const others[] = {"0123ABCD-4567-89ef-0123-456789abcdef", "0123abcd-4567-89ef-0123-456789abcdeg",
                "0123abcd-4567-89ef-0123+456789abcdef", "0123abcd-4567-89ef-01234-56789abcdef",
                "0123abcd-4567-89ef-0123-456789abcde", "x123abcd-4567-89ef-0123-456789abcdef"};
        char room[LMDB_UUID_TEXT];

        (void)state;
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                const struct lmdb_key key = key_of("visits", "42", others[i]);
                struct lmdb_key_parts parts;

                assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
                assert_slice_is(parts.record, others[i]);
                assert_slice_is(lmdb_part_id(parts.record, room), others[i]);
        }
}

/* A stored part stands for its id: keys built from parts are keys built from ids. */
static void parts_build_the_same_key_as_ids(void **state)
{
        char text[300];
        struct lmdb_key key;
        struct lmdb_key again;
        struct lmdb_key_parts parts;

        (void)state;
        memset(text, 'x', sizeof(text));
        lmdb_key_student(&key, TENANT, "visits", slice_of(text, 300));
        lmdb_key_add_record(&key, slice_of(text, 200));
        assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
        lmdb_key_student(&again, parts.tenant, "visits", parts.student);
        lmdb_key_add_record(&again, parts.record);
        assert_true(slice_equal(lmdb_key_slice(&key), lmdb_key_slice(&again)));
        lmdb_key_student(&key, TENANT, "visits", slice_str(UUID));
        assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
        lmdb_key_student(&again, parts.tenant, "visits", parts.student);
        assert_true(slice_equal(lmdb_key_slice(&key), lmdb_key_slice(&again)));
}

static void bytes_that_are_no_key_are_refused(void **state)
{
        const struct lmdb_key whole = key_of("visits", "42", NULL);
        struct lmdb_key_parts parts;
        uint64_t seed = 7;

        (void)state;
        for (size_t len = 0; len < whole.len; len++)
                assert_false(lmdb_key_split(slice_of(whole.bytes, len), 0, &parts));
        assert_false(lmdb_key_split(lmdb_key_slice(&whole), 8, &parts));
        for (size_t i = 0; i < 20000; i++) { /* nothing to see but that no sanitizer complains */
                uint8_t noise[64];
                size_t len = random_next(&seed) % sizeof(noise);

                for (size_t j = 0; j < len; j++)
                        noise[j] = (uint8_t)(random_next(&seed) & 7);
                if (lmdb_key_split(slice_of(noise, len), i % 9, &parts))
                        assert_true(parts.tenant.len + parts.student.len + parts.record.len <= len);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_has_the_documented_bytes),
                cmocka_unit_test(a_key_comes_apart_into_its_parts),
                cmocka_unit_test(no_two_places_share_a_run),
                cmocka_unit_test(long_ids_become_hashes_that_no_text_equals),
                cmocka_unit_test(ids_up_to_64_bytes_are_stored_as_they_are),
                cmocka_unit_test(uuids_are_stored_in_half_their_length),
                cmocka_unit_test(what_only_looks_like_a_uuid_is_stored_as_it_is),
                cmocka_unit_test(parts_build_the_same_key_as_ids),
                cmocka_unit_test(bytes_that_are_no_key_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
