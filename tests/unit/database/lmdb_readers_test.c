#include "database/lmdb_readers.h"
#include "tests/lib/test.h"

#include <pthread.h>

enum { MAX = 3 };

static char path[64];
static MDB_env *mdb;

static int setup(void **state)
{
        struct lmdb_readers *readers = NULL;

        temp_dir_make(path, sizeof(path));
        assert_int_equal(mdb_env_create(&mdb), 0);
        assert_int_equal(mdb_env_set_maxreaders(mdb, MAX), 0);
        assert_int_equal(mdb_env_open(mdb, path, MDB_NOTLS, 0600), 0);
        assert_ok(lmdb_readers_create(&readers, mdb, MAX));
        *state = readers;
        return 0;
}

static int teardown(void **state)
{
        struct lmdb_readers *readers = *state;

        lmdb_readers_destroy(&readers);
        assert_null(readers);
        lmdb_readers_destroy(&readers); /* a no-op */
        mdb_env_close(mdb);
        temp_dir_remove(path);
        return 0;
}

/* Overwrites one value, so that each commit frees pages that the next but one can take, unless a reader pins them. */
static void write_once(void)
{
        static const uint8_t block[2000];
        MDB_txn *txn;
        MDB_dbi dbi;
        MDB_val key = lmdb_val(slice_str("k"));
        MDB_val value = lmdb_val(slice_of(block, sizeof(block)));

        assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
        assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
        assert_int_equal(mdb_txn_commit(txn), 0);
}

static size_t last_page(void)
{
        MDB_envinfo info;

        assert_int_equal(mdb_env_info(mdb, &info), 0);
        return info.me_last_pgno;
}

static void each_read_sees_the_newest_commit(void **state)
{
        struct lmdb_readers *readers = *state;
        MDB_txn *txn;

        for (size_t i = 0; i < 5; i++) {
                write_once();
                assert_ok(lmdb_readers_take(readers, &txn));
                assert_int_equal(mdb_txn_id(txn), i + 1);
                lmdb_readers_give(readers, &txn);
                assert_null(txn);
        }
}

static void an_idle_reader_pins_no_page(void **state)
{
        struct lmdb_readers *readers = *state;
        MDB_txn *txn;
        size_t before;

        write_once();
        assert_ok(lmdb_readers_take(readers, &txn));
        lmdb_readers_give(readers, &txn); /* idle from here on */
        for (int i = 0; i < 10; i++)
                write_once();
        before = last_page();
        for (int i = 0; i < 100; i++)
                write_once();
        assert_int_equal(last_page(), before);
        assert_ok(lmdb_readers_take(readers, &txn)); /* the same test with one that does pin */
        for (int i = 0; i < 100; i++)
                write_once();
        assert_true(last_page() > before);
        lmdb_readers_give(readers, &txn);
}

struct job {
        struct lmdb_readers *readers;
        _Atomic int out;  /* transactions that are out now */
        _Atomic int most; /* the most that ever were */
        _Atomic int failures;
};

static void *take_and_give(void *context)
{
        struct job *job = context;

        for (int i = 0; i < 500; i++) {
                MDB_txn *txn;
                int now;

                if (lmdb_readers_take(job->readers, &txn) != OK) {
                        job->failures++;
                        continue;
                }
                now = ++job->out;
                if (now > job->most)
                        job->most = now;
                job->out--;
                lmdb_readers_give(job->readers, &txn);
        }
        return NULL;
}

static void more_threads_than_slots_wait_for_one_another(void **state)
{
        enum { THREADS = 10 };
        struct job job = {.readers = *state};
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &job), 0);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(job.failures, 0);
        assert_in_range(job.most, 1, MAX);
}

static void a_table_full_of_others_is_busy_or_waited_for(void **state)
{
        struct lmdb_readers *readers = *state;
        struct job job = {.readers = readers};
        MDB_txn *others[MAX];
        MDB_txn *txn;
        pthread_t thread;

        for (int i = 0; i < MAX; i++)
                assert_int_equal(mdb_txn_begin(mdb, NULL, MDB_RDONLY, &others[i]), 0);
        assert_err(ERR_BUSY, lmdb_readers_take(readers, &txn)); /* none of ours is out: nothing to wait for */
        assert_null(txn);
        mdb_txn_abort(others[0]);
        assert_ok(lmdb_readers_take(readers, &txn));
        assert_int_equal(pthread_create(&thread, NULL, take_and_give, &job), 0); /* must wait for ours */
        lmdb_readers_give(readers, &txn);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(job.failures, 0);
        for (int i = 1; i < MAX; i++)
                mdb_txn_abort(others[i]);
}

static enum err create(void *context)
{
        struct lmdb_readers *readers;
        enum err rc = lmdb_readers_create(&readers, mdb, MAX);

        (void)context;
        lmdb_readers_destroy(&readers);
        return rc;
}

static void survives_a_failing_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_read_sees_the_newest_commit, setup, teardown),
                cmocka_unit_test_setup_teardown(an_idle_reader_pins_no_page, setup, teardown),
                cmocka_unit_test_setup_teardown(more_threads_than_slots_wait_for_one_another, setup, teardown),
                cmocka_unit_test_setup_teardown(a_table_full_of_others_is_busy_or_waited_for, setup, teardown),
                cmocka_unit_test_setup_teardown(survives_a_failing_allocation, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
