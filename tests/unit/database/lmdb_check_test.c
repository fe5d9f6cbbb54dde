#include "database/lmdb_check.h"
#include "database/lmdb_head.h"
#include "database/lmdb_record.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct state {
        char path[64];
        struct lmdb_config config;
        struct source *source;
};

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->config = school_config(s->path);
        s->source = school_open(&s->config);
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\",\"date\":\"2020\"}]");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        if (s->source != NULL)
                s->source->ops->close(&s->source);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

static void counts_students_and_records(void **state)
{
        struct state *s = *state;
        struct source_health health = school_sound(s->source);

        assert_int_equal(health.students, 1);
        assert_int_equal(health.records, 3);
        assert_true(health.deep);
        assert_true(health.ok);
        assert_null(health.problem);
        assert_int_equal(health.readers_max, s->config.max_readers);
        assert_true(health.readers >= 1 && health.readers <= health.readers_max);
        assert_true(health.bytes_used > 0 && health.bytes_used <= health.bytes_mapped);
        assert_true(health.bytes_free_on_disk > 0);
        assert_true(health.last_position >= 4);
}

/* ---- damage, one kind at a time ---- */

/* Puts or (with empty bytes) removes one entry. */
struct edit {
        size_t db; /* offset in struct lmdb_dbs */
        struct slice key;
        struct slice bytes;
        const struct lmdb_env *env;
};

static enum err do_edit(MDB_txn *txn, void *context, struct err_msg *msg)
{
        const struct edit *e = context;
        MDB_dbi dbi = *(const MDB_dbi *)(const void *)((const char *)lmdb_env_dbs(e->env) + e->db);
        MDB_val key = lmdb_val(e->key);
        MDB_val value = lmdb_val(e->bytes);

        (void)msg;
        return lmdb_err(e->bytes.data == NULL ? mdb_del(txn, dbi, &key, NULL) : mdb_put(txn, dbi, &key, &value, 0));
}

/* After the edit the deep check finds `damaged` faults. */
static void edited(struct state *s, struct edit *edit, uint64_t damaged)
{
        const struct lmdb_env_config config = {s->path, 1 << 20, 1 << 20, 4, &s->config.schema};
        struct source_health health;
        struct lmdb_env *env;
        bool suspected;

        s->source->ops->close(&s->source);
        assert_ok(lmdb_env_open(&env, &config, &suspected, NULL));
        edit->env = env;
        assert_ok(lmdb_env_update(env, do_edit, edit, NULL));
        lmdb_env_close(&env);
        s->source = school_open(&s->config);
        assert_ok(s->source->ops->health(s->source, true, &health, NULL));
        assert_int_equal(health.damaged, damaged);
        assert_false(health.ok);
        assert_non_null(strstr(health.problem, "damaged"));
        assert_ok(s->source->ops->health(s->source, false, &health, NULL));
        assert_int_equal(health.damaged, 0); /* not looked for */
}

static struct lmdb_key record_key(const char *table, const char *student, const char *record)
{
        struct lmdb_key key;

        lmdb_key_student(&key, SLICE_EMPTY, table, slice_str(student));
        lmdb_key_add_record(&key, slice_str(record));
        return key;
}

#define DB(name) offsetof(struct lmdb_dbs, name)

static void finds_records_that_cannot_be_read(void **state)
{
        const struct lmdb_key key = record_key("students", "42", "7");
        struct edit edit = {DB(records), lmdb_key_slice(&key), slice_str("noise"), NULL};

        edited(*state, &edit, 2); /* and it is not counted */
}

static void finds_keys_that_are_none(void **state)
{
        struct edit edit = {DB(records), slice_str("no key"), slice_str("noise"), NULL};

        edited(*state, &edit, 1);
}

static void finds_heads_of_the_future(void **state)
{
        const struct lmdb_key key = record_key("students", "42", "");
        const struct lmdb_head head = {{1000000}, LMDB_NO_RANKS};
        uint8_t bytes[LMDB_HEAD_SIZE];
        struct edit edit = {DB(records), lmdb_key_slice(&key), slice_of(bytes, sizeof(bytes)), NULL};

        lmdb_head_encode(&head, bytes);
        edited(*state, &edit, 1);
}

static void finds_heads_of_other_ranks_than_the_records(void **state)
{
        const struct lmdb_key key = record_key("allergies", "42", "");
        const struct lmdb_head head = {{1}, {.activity = {0}, .severity = {0xff, 0xff}}};
        uint8_t bytes[LMDB_HEAD_SIZE];
        struct edit edit = {DB(records), lmdb_key_slice(&key), slice_of(bytes, sizeof(bytes)), NULL};

        lmdb_head_encode(&head, bytes);
        edited(*state, &edit, 1);
}

static void finds_records_without_a_head(void **state)
{
        const struct lmdb_key key = record_key("allergies", "42", "");
        struct edit edit = {DB(records), lmdb_key_slice(&key), SLICE_EMPTY, NULL};

        edited(*state, &edit, 2); /* the record, and its index row */
}

static void finds_records_under_an_id_that_is_not_theirs(void **state)
{
        struct state *s = *state;
        const struct lmdb_key key = record_key("allergies", "42", "b");
        struct buf map;
        uint8_t bytes[256];
        struct lmdb_record record = {.schema = 1, .version = {1}};
        struct edit edit = {DB(records), lmdb_key_slice(&key), SLICE_EMPTY, NULL};

        buf_init(&map, 0);
        append_json(&map, "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}");
        record.map = buf_slice(&map);
        lmdb_record_encode(&record, bytes);
        edit.bytes = slice_of(bytes, lmdb_record_size(&record));
        edited(s, &edit, 2); /* and it is not counted */
        buf_deinit(&map);
}

static void finds_records_of_nobody(void **state)
{
        const struct lmdb_key key = record_key("students", "42", "42");
        struct edit edit = {DB(records), lmdb_key_slice(&key), SLICE_EMPTY, NULL};

        edited(*state, &edit, 4); /* the visit, the allergy, and both counts */
}

static void finds_heads_without_index_rows(void **state)
{
        struct lmdb_key key;
        const uint8_t rank[2] = {0xfe, 0xfe - 1 - 1}; /* no status; MILD has rank 1 */
        struct edit edit = {DB(by_severity), SLICE_EMPTY, SLICE_EMPTY, NULL};

        lmdb_key_start(&key, SLICE_EMPTY, "allergies");
        lmdb_key_add_rank(&key, rank, sizeof(rank));
        lmdb_key_add_student(&key, slice_str("42"));
        edit.key = lmdb_key_slice(&key);
        edited(*state, &edit, 1);
}

static void finds_index_rows_without_heads(void **state)
{
        struct edit edit = {DB(by_activity), slice_str("anything"), slice_str(""), NULL};

        edited(*state, &edit, 1);
}

static void finds_merges_that_only_one_side_knows(void **state)
{
        struct edit edit = {DB(merged), SLICE_EMPTY, slice_str("42"), NULL};
        struct lmdb_key key;

        lmdb_key_student(&key, SLICE_EMPTY, "into", slice_str("43"));
        edit.key = lmdb_key_slice(&key);
        edited(*state, &edit, 1);
        lmdb_key_student(&key, SLICE_EMPTY, "from", slice_str("7"));
        lmdb_key_add_record(&key, slice_str("42"));
        edited(*state, &edit, 2);
}

static void finds_merges_into_one_that_is_merged(void **state)
{
        struct edit edit = {DB(merged), SLICE_EMPTY, slice_str("43"), NULL};
        struct lmdb_key key;

        lmdb_key_student(&key, SLICE_EMPTY, "into", slice_str("42"));
        edit.key = lmdb_key_slice(&key);
        edited(*state, &edit, 2); /* and 42, who is merged, is counted */
        lmdb_key_student(&key, SLICE_EMPTY, "into", slice_str("43"));
        edit.bytes = slice_str("44");
        edit.key = lmdb_key_slice(&key);
        edited(*state, &edit, 3);
}

/* ---- a file that was cut ---- */

static void cut_file(const struct state *s, double part)
{
        char name[128];
        struct stat info;
        const long page = sysconf(_SC_PAGESIZE);

        (void)snprintf(name, sizeof(name), "%s/data.mdb", s->path);
        assert_int_equal(stat(name, &info), 0);
        assert_int_equal(truncate(name, (off_t)((double)info.st_size * part) / page * page), 0);
}

static void a_file_that_was_cut_short_is_refused(void **state)
{
        struct state *s = *state;
        struct err_msg msg = {.text = ""};
        char json[64];

        for (int i = 0; i < 200; i++) {
                struct source_write write = {.type = &SCHOOL_STUDENT, .id = slice_of(json, 8)};

                (void)snprintf(json, sizeof(json), "%08d", i);
                assert_ok(school_put(s->source, &write, "{\"name\":\"Somebody with rather a long name\"}"));
        }
        s->source->ops->close(&s->source);
        cut_file(s, 0.4);
        assert_err(ERR_CORRUPT, lmdb_source_open(&s->source, &s->config, &msg));
        assert_null(s->source);
        assert_non_null(strstr(msg.text, s->path));
        assert_non_null(strstr(msg.text, "cut short"));
        assert_err(ERR_CORRUPT, lmdb_source_open(&s->source, &s->config, &msg)); /* and stays so */
}

/* Pages that no tree uses may be missing at the end: LMDB does not write what was allocated and freed in one commit. */
static void pages_that_nothing_uses_may_be_missing(void **state)
{
        struct state *s = *state;
        char name[128];
        struct stat info;
        uint64_t last_page;
        int fd;

        s->source->ops->close(&s->source);
        (void)snprintf(name, sizeof(name), "%s/data.mdb", s->path);
        fd = open(name, O_RDWR);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &info), 0);
        for (off_t meta = 0; meta < 2; meta++) { /* mm_last_pg: behind the page's head, 24 bytes, and two tree roots */
                const off_t at = meta * sysconf(_SC_PAGESIZE) + 16 + 24 + 2 * 48;

                assert_int_equal(pread(fd, &last_page, sizeof(last_page), at), sizeof(last_page));
                assert_true(last_page < 100);
                last_page += 3;
                assert_int_equal(pwrite(fd, &last_page, sizeof(last_page), at), sizeof(last_page));
        }
        assert_int_equal(close(fd), 0);
        s->source = school_open(&s->config);
        assert_int_equal(stat(name, &info), 0);
        (void)school_sound(s->source);
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[]");
        (void)school_sound(s->source);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(counts_students_and_records),
                TEST(finds_records_that_cannot_be_read),
                TEST(finds_keys_that_are_none),
                TEST(finds_heads_of_the_future),
                TEST(finds_heads_of_other_ranks_than_the_records),
                TEST(finds_records_without_a_head),
                TEST(finds_records_under_an_id_that_is_not_theirs),
                TEST(finds_records_of_nobody),
                TEST(finds_heads_without_index_rows),
                TEST(finds_index_rows_without_heads),
                TEST(finds_merges_that_only_one_side_knows),
                TEST(finds_merges_into_one_that_is_merged),
                TEST(a_file_that_was_cut_short_is_refused),
                TEST(pages_that_nothing_uses_may_be_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
