#include "database/lmdb_run.h"
#include "database/lmdb_record.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <stdlib.h>

/* ---- one transaction, in which a test does something to the visits of student 42 ---- */

struct work {
        struct school_env *s;
        void (*body)(struct lmdb_run *run);
        bool dry_run;
        bool remove;
};

static enum err work(MDB_txn *txn, void *context, struct err_msg *msg)
{
        const struct work *w = context;
        const struct lmdb_run_place place = {.student = slice_str("42"), .name = "visits", .table = &SCHOOL_VISITS};
        struct lmdb_store store = {.dbs = lmdb_env_dbs(w->s->env), .schema = &w->s->schema};
        struct lmdb_run run;

        assert_ok(lmdb_store_begin(&store, txn));
        store.dry_run = w->dry_run;
        assert_ok(lmdb_run_open(&run, &store, &place, msg));
        if (w->body != NULL)
                w->body(&run);
        assert_ok(w->remove ? lmdb_run_remove(&run) : lmdb_run_close(&run));
        assert_ok(lmdb_store_finish(&store));
        lmdb_store_end(&store);
        return OK;
}

static void in_transaction(struct school_env *s, void (*body)(struct lmdb_run *run))
{
        struct work w = {.s = s, .body = body};

        assert_ok(lmdb_env_update(s->env, work, &w, NULL));
}

static bool put(struct lmdb_run *run, const char *id, const char *json, const struct original *original)
{
        struct lmdb_row row = {.student = slice_str("42"), .id = slice_str(id), .schema = 1};
        struct buf map;
        bool changed;

        buf_init(&map, 0);
        append_json(&map, json);
        row.map = buf_slice(&map);
        row.ranks = lmdb_ranks_of(&SCHOOL_VISITS, row.map);
        if (original != NULL)
                row.original = *original;
        assert_ok(lmdb_run_put(run, &row, &changed));
        buf_deinit(&map);
        return changed;
}

static bool erase(struct lmdb_run *run, const char *id)
{
        const struct lmdb_row row = {.student = slice_str("42"), .id = slice_str(id)};
        bool erased;

        assert_ok(lmdb_run_erase_row(run, &row, &erased));
        return erased;
}

static size_t entries(struct school_env *s, size_t db)
{
        MDB_dbi dbi = *(const MDB_dbi *)(const void *)((const char *)lmdb_env_dbs(s->env) + db);
        MDB_txn *txn;
        MDB_stat stat;

        assert_ok(lmdb_env_read_begin(s->env, &txn));
        assert_int_equal(mdb_stat(txn, dbi, &stat), MDB_SUCCESS);
        lmdb_env_read_end(s->env, &txn);
        return stat.ms_entries;
}

#define RECORDS  offsetof(struct lmdb_dbs, records)
#define ACTIVITY offsetof(struct lmdb_dbs, by_activity)

#define OLD "{\"id\":\"a\",\"date\":\"2020\"}"
#define NEW "{\"id\":\"b\",\"date\":\"2021\"}"

static void put_two(struct lmdb_run *run)
{
        assert_false(run->found);
        assert_true(put(run, "a", OLD, NULL));
        assert_true(put(run, "b", NEW, NULL));
        assert_int_equal(run->changes, 2);
}

static void put_them_again(struct lmdb_run *run)
{
        assert_true(run->found);
        assert_false(put(run, "a", OLD, NULL));
        assert_false(put(run, "b", NEW, NULL));
        assert_int_equal(run->changes, 0);
}

static void what_is_there_is_not_written_again(void **state)
{
        struct school_env *s = *state;

        in_transaction(s, NULL);
        assert_int_equal(entries(s, RECORDS), 0); /* nothing changed, so no head */
        in_transaction(s, put_two);
        assert_int_equal(entries(s, RECORDS), 3); /* and the head */
        assert_int_equal(entries(s, ACTIVITY), 1);
        in_transaction(s, put_them_again);
}

static void dry_put(struct lmdb_run *run)
{
        assert_true(put(run, "a", OLD, NULL));
        assert_false(erase(run, "a"));
        assert_int_equal(run->changes, 0);
}

static void a_dry_run_writes_nothing(void **state)
{
        struct work w = {.s = *state, .body = dry_put, .dry_run = true};

        assert_ok(lmdb_env_update(w.s->env, work, &w, NULL));
        assert_int_equal(entries(w.s, RECORDS), 0);
        assert_int_equal(entries(w.s, ACTIVITY), 0);
}

static void erase_one(struct lmdb_run *run)
{
        bool any;

        assert_true(erase(run, "b"));
        assert_false(erase(run, "b"));
        assert_true(run->ranks_lost);
        assert_ok(lmdb_run_any(run, &any));
        assert_true(any);
}

static void erase_the_rest(struct lmdb_run *run)
{
        struct lmdb_row row = {.id = slice_str("x")};
        const struct lmdb_rows keep = {.row = &row, .count = 1};
        bool any;

        assert_ok(lmdb_run_erase(run, &keep));
        assert_ok(lmdb_run_any(run, &any));
        assert_false(any);
        assert_int_equal(run->changes, 1);
}

static void a_head_outlives_its_records_but_not_its_student(void **state)
{
        struct work remove = {.s = *state, .remove = true};

        in_transaction(*state, put_two);
        in_transaction(*state, erase_one);
        assert_int_equal(entries(*state, RECORDS), 2);
        assert_int_equal(entries(*state, ACTIVITY), 1); /* now by the older one */
        in_transaction(*state, erase_the_rest);
        assert_int_equal(entries(*state, RECORDS), 1);
        assert_int_equal(entries(*state, ACTIVITY), 0);
        assert_ok(lmdb_env_update(remove.s->env, work, &remove, NULL));
        assert_int_equal(entries(*state, RECORDS), 0);
        in_transaction(*state, put_two);
        assert_ok(lmdb_env_update(remove.s->env, work, &remove, NULL));
        assert_int_equal(entries(*state, RECORDS), 0);
        assert_int_equal(entries(*state, ACTIVITY), 0);
}

/* ---- originals ---- */

static const struct original FIRST = {.whole_len = 2, .hash = 1, .bytes = {(const uint8_t *)"{}", 2}};
static const struct original SECOND = {.whole_len = 3, .hash = 2, .bytes = {(const uint8_t *)"{ }", 3}};

static struct original stored_original(const struct lmdb_run *run, const char *id)
{
        struct lmdb_record record;
        struct lmdb_key key = run->key;
        MDB_val at;
        MDB_val value;

        lmdb_key_add_record(&key, slice_str(id));
        at = lmdb_val(lmdb_key_slice(&key));
        assert_int_equal(mdb_get(run->store->txn, run->store->dbs->records, &at, &value), MDB_SUCCESS);
        assert_true(lmdb_record_decode(lmdb_slice(value), &record));
        return record.original;
}

static void put_with_original(struct lmdb_run *run)
{
        assert_true(put(run, "a", OLD, &FIRST));
}

static void put_as_the_original_wants(struct lmdb_run *run)
{
        assert_slice_is(stored_original(run, "a").bytes, "{}");
        assert_false(put(run, "a", OLD, &FIRST));
        assert_false(put(run, "a", OLD, NULL)); /* keeps it */
        assert_slice_is(stored_original(run, "a").bytes, "{}");
        assert_true(put(run, "a", OLD, &SECOND)); /* another original alone is a change */
        assert_slice_is(stored_original(run, "a").bytes, "{ }");
        assert_true(put(run, "a", "{\"id\":\"a\"}", NULL)); /* another record has lost its original */
        assert_slice_is(stored_original(run, "a").bytes, "");
}

static void an_original_stays_for_as_long_as_its_record_does(void **state)
{
        in_transaction(*state, put_with_original);
        in_transaction(*state, put_as_the_original_wants);
}

/* ---- a head that was lost ---- */

static enum err delete_head(MDB_txn *txn, void *context, struct err_msg *msg)
{
        struct school_env *s = context;
        struct lmdb_key key;
        MDB_val at;

        (void)msg;
        lmdb_key_student(&key, SLICE_EMPTY, "visits", slice_str("42"));
        at = lmdb_val(lmdb_key_slice(&key));
        return lmdb_err(mdb_del(txn, lmdb_env_dbs(s->env)->records, &at, NULL));
}

static void put_one_of_them_again(struct lmdb_run *run)
{
        assert_true(run->found);
        assert_true(put(run, "a", "{\"id\":\"a\",\"date\":\"1999\"}", NULL));
}

static void the_head_has_the_newest(struct lmdb_run *run)
{
        struct lmdb_ranks ranks;
        struct buf map;

        buf_init(&map, 0);
        append_json(&map, NEW);
        ranks = lmdb_ranks_of(&SCHOOL_VISITS, buf_slice(&map));
        assert_memory_equal(&ranks, &run->head.ranks, sizeof(ranks));
        buf_deinit(&map);
}

static void a_write_mends_a_lost_head(void **state)
{
        struct school_env *s = *state;

        in_transaction(s, put_two);
        assert_ok(lmdb_env_update(s->env, delete_head, s, NULL));
        assert_int_equal(entries(s, RECORDS), 2);
        in_transaction(s, put_one_of_them_again);
        assert_int_equal(entries(s, RECORDS), 3);
        in_transaction(s, the_head_has_the_newest);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, school_env_setup, school_env_teardown)
        const struct CMUnitTest tests[] = {
                TEST(what_is_there_is_not_written_again),
                TEST(a_dry_run_writes_nothing),
                TEST(a_head_outlives_its_records_but_not_its_student),
                TEST(an_original_stays_for_as_long_as_its_record_does),
                TEST(a_write_mends_a_lost_head),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
