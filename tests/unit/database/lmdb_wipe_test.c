#include "database/lmdb_wipe.h"

#include "tests/lib/school.h"

#include <stdlib.h>

enum { PAGE = 4096, VALUE = 1500 /* one or two to a page */ };

/* What stands under the number: all of its bytes are the number's last one, and never 0. */
static void fill(uint8_t *value, uint32_t number)
{
        memset(value, 1 + (int)(number % 250), VALUE);
}

static void write_records(const struct school_env *s, uint32_t count)
{
        MDB_txn *txn;
        bool unknown;

        assert_ok(lmdb_env_write_begin(s->env, &txn));
        for (uint32_t i = 0; i < count; i++) {
                uint8_t value[VALUE];
                uint8_t key[] = {1, (uint8_t)(i >> 8), (uint8_t)i};
                MDB_val at = {sizeof(key), key};
                MDB_val bytes = {sizeof(value), value};

                fill(value, i);
                assert_int_equal(mdb_put(txn, lmdb_env_dbs(s->env)->records, &at, &bytes, 0), MDB_SUCCESS);
        }
        assert_ok(lmdb_env_write_commit(s->env, &txn, &unknown));
}

static void assert_records(const struct school_env *s, uint32_t count)
{
        MDB_txn *txn;
        MDB_stat stat;

        assert_ok(lmdb_env_read_begin(s->env, &txn));
        for (uint32_t i = 0; i < count; i++) {
                uint8_t value[VALUE];
                uint8_t key[] = {1, (uint8_t)(i >> 8), (uint8_t)i};
                MDB_val at = {sizeof(key), key};
                MDB_val bytes;

                fill(value, i);
                assert_int_equal(mdb_get(txn, lmdb_env_dbs(s->env)->records, &at, &bytes), MDB_SUCCESS);
                assert_int_equal(bytes.mv_size, VALUE);
                assert_memory_equal(bytes.mv_data, value, VALUE);
        }
        assert_int_equal(mdb_stat(txn, lmdb_env_dbs(s->env)->records, &stat), MDB_SUCCESS);
        assert_int_equal(stat.ms_entries, count);
        lmdb_env_read_end(s->env, &txn);
}

/* The longest run of one byte that is not 0: records are made of such runs. */
static size_t longest_run(const uint8_t *bytes, size_t len)
{
        size_t longest = 0;
        size_t run = 0;

        for (size_t i = 0; i < len; i++) {
                run = bytes[i] == 0 ? 0 : i > 0 && bytes[i] == bytes[i - 1] ? run + 1 : 1;
                longest = run > longest ? run : longest;
        }
        return longest;
}

/* What the next transaction is given to write in: the pages that LMDB has kept. Those of the first records may stand in
 * a page that was there. */
static size_t longest_run_in_kept_pages(const struct school_env *s, uint32_t from, uint32_t count)
{
        size_t longest = 0;
        MDB_txn *txn;

        assert_ok(lmdb_env_write_begin(s->env, &txn));
        for (uint32_t i = from; i < from + count; i++) {
                uint8_t key[] = {1, (uint8_t)(i >> 8), (uint8_t)i};
                MDB_val at = {sizeof(key), key};
                MDB_val bytes = {VALUE, NULL};
                MDB_dbi records = lmdb_env_dbs(s->env)->records;
                size_t run;

                assert_int_equal(mdb_put(txn, records, &at, &bytes, MDB_RESERVE | MDB_APPEND), MDB_SUCCESS);
                run = i > from + 1 ? longest_run(bytes.mv_data, VALUE) : 0;
                longest = run > longest ? run : longest;
        }
        mdb_txn_abort(txn);
        return longest;
}

static void empties_the_pages_that_are_kept_and_changes_nothing(void **state)
{
        struct school_env *s = *state;
        struct lmdb_usage before;
        struct lmdb_usage after;

        write_records(s, 100);
        assert_ok(lmdb_env_usage(s->env, &before));
        assert_true(longest_run_in_kept_pages(s, 100, 40) > 100);
        assert_ok(lmdb_wipe(s->env));
        assert_records(s, 100);
        assert_true(longest_run_in_kept_pages(s, 100, 40) < 16);
        assert_ok(lmdb_wipe(s->env)); /* again: all is empty at once */
        assert_ok(lmdb_env_usage(s->env, &after));
        assert_int_equal(after.last_position, before.last_position);
        assert_int_equal(after.bytes_used, before.bytes_used);
}

static void without_room_it_says_so_and_changes_nothing(void **state)
{
        struct school_env *s = *state;
        const uint32_t count = SCHOOL_MAP_SIZE / PAGE * 6 / 10;

        write_records(s, count);
        assert_err(ERR_MAP_FULL, lmdb_wipe(s->env));
        assert_records(s, count);
        assert_ok(lmdb_env_grow(s->env));
        assert_ok(lmdb_wipe(s->env));
        assert_records(s, count);
}

int main(void)
{
#define WITH_ENV(test) cmocka_unit_test_setup_teardown(test, school_env_setup, school_env_teardown)
        const struct CMUnitTest tests[] = {
                WITH_ENV(empties_the_pages_that_are_kept_and_changes_nothing),
                WITH_ENV(without_room_it_says_so_and_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
