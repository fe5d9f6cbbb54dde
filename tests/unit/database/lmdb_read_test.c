#include "database/lmdb_read.h"
#include "database/lmdb_key.h"
#include "database/lmdb_record.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <stdio.h>

static char path[64];

static int setup(void **state)
{
        struct lmdb_config config;

        temp_dir_make(path, sizeof(path));
        config = school_config(path);
        *state = school_open(&config);
        school_must_put(*state, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        return 0;
}

static int teardown(void **state)
{
        struct source *source = *state;

        source->ops->close(&source);
        temp_dir_remove(path);
        return 0;
}

static void lists_without_an_order_come_by_id(void **state)
{
        school_must_put(*state, &SCHOOL_ALLERGY_LIST, "42",
                "[{\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"},{\"id\":\"ab\",\"code\":\"3\",\"severity\":"
                "\"MILD\"},"
                "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        school_expect(*state, &SCHOOL_ALLERGY_LIST, "42",
                "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"},{\"id\":\"ab\",\"code\":\"3\",\"severity\":"
                "\"MILD\"},"
                "{\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"}]");
}

static void ordered_lists_come_newest_first_and_undated_last(void **state)
{
        school_must_put(*state, &SCHOOL_VISIT_LIST, "42",
                "[{\"id\":\"a\",\"date\":\"2020-05\"},{\"id\":\"b\",\"date\":\"2021-01-01T00:00:00+02:00\"},"
                "{\"id\":\"c\"},{\"id\":\"d\",\"date\":\"2020-12-31T23:30:00Z\"},{\"id\":\"e\",\"date\":\"2020-05-01\"}"
                ","
                "{\"id\":\"f\",\"date\":\"1969\"}]");
        school_expect(*state, &SCHOOL_VISIT_LIST, "42",
                "[{\"id\":\"d\",\"date\":\"2020-12-31T23:30:00Z\"},{\"id\":\"b\",\"date\":\"2021-01-01T00:00:00+02:"
                "00\"},"
                "{\"id\":\"a\",\"date\":\"2020-05\"},{\"id\":\"e\",\"date\":\"2020-05-01\"},{\"id\":\"f\",\"date\":"
                "\"1969\"},"
                "{\"id\":\"c\"}]");
}

static void a_composite_filters_and_limits_its_parts(void **state)
{
        school_expect(*state, &SCHOOL_SUMMARY, "42",
                "{\"student\":{\"id\":\"42\",\"name\":\"Ada\"},\"allergies\":[],\"visits\":[]}");
        school_must_put(*state, &SCHOOL_ALLERGY_LIST, "42",
                "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\",\"status\":\"active\"},"
                "{\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\",\"status\":\"inactive\"},"
                "{\"id\":\"c\",\"code\":\"3\",\"severity\":\"MILD\"}]");
        school_must_put(*state, &SCHOOL_VISIT_LIST, "42",
                "[{\"id\":\"a\",\"date\":\"2020\"},{\"id\":\"b\",\"date\":\"2022\"},{\"id\":\"c\",\"date\":\"2021\"}]");
        school_expect(*state, &SCHOOL_SUMMARY, "42",
                "{\"student\":{\"id\":\"42\",\"name\":\"Ada\"},"
                "\"allergies\":[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\",\"status\":\"active\"}],"
                "\"visits\":[{\"id\":\"b\",\"date\":\"2022\"},{\"id\":\"c\",\"date\":\"2021\"}]}");
}

static void a_single_record_that_is_not_there_is_null(void **state)
{
        const struct record_type one = {.name = "visit", .shape = RECORD_ONE, .table = &SCHOOL_VISITS};

        school_expect(*state, &one, "42", "null");
        school_expect(*state, &one, "43", NULL);
        school_must_put(*state, &one, "42", "{\"date\":\"2020\"}");
        school_expect(*state, &one, "42", "{\"id\":\"42\",\"date\":\"2020\"}");
}

static void tenants_do_not_see_one_another(void **state)
{
        struct source_write write = {.type = &SCHOOL_STUDENT, .id = slice_str("42"), .tenant = slice_str("north")};

        assert_ok(school_put(*state, &write, "{\"name\":\"Bob\"}"));
        school_expect(*state, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
        write.id = slice_str("43");
        assert_ok(school_put(*state, &write, "{\"name\":\"Cleo\"}"));
        school_expect(*state, &SCHOOL_STUDENT, "43", NULL);
}

/* ---- many reads at once, and damage ---- */

static void count_done(struct source_read *read)
{
        ++*(int *)read->context;
}

static void a_batch_is_answered_from_one_snapshot(void **state)
{
        struct source *source = *state;
        struct source_read reads[3] = {{.type = &SCHOOL_STUDENT, .id = slice_str("42")},
                {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42")}, {.type = &SCHOOL_STUDENT, .id = slice_str("7")}};
        struct list batch;
        int done = 0;

        list_init(&batch);
        for (size_t i = 0; i < 3; i++) {
                reads[i].done = count_done;
                reads[i].context = &done;
                buf_init(&reads[i].value, 0);
                list_push_back(&batch, &reads[i].link);
        }
        source_fetch_many(&(struct source_port){source}, &batch);
        assert_true(list_empty(&batch));
        assert_int_equal(done, 3);
        assert_int_equal(reads[0].snapshot.xmin, school_sound(source).last_position + 1);
        for (size_t i = 0; i < 3; i++) {
                assert_ok(reads[i].status);
                assert_int_equal(reads[i].found, i != 2);
                assert_int_equal(reads[i].snapshot.xmin, reads[0].snapshot.xmin);
                assert_int_equal(reads[i].snapshot.xmax, reads[0].snapshot.xmin);
                assert_int_equal(reads[i].snapshot.running, 0);
                buf_deinit(&reads[i].value);
        }
}

/* A stored record as it should not be. */
struct damage {
        const struct lmdb_env *env;
        const char *record;
        struct slice bytes;
};

static enum err put_damaged(MDB_txn *txn, void *context, struct err_msg *msg)
{
        const struct damage *d = context;
        struct lmdb_key key;
        MDB_val at;
        MDB_val value = lmdb_val(d->bytes);

        (void)msg;
        lmdb_key_student(&key, SLICE_EMPTY, "allergies", slice_str("42"));
        lmdb_key_add_record(&key, slice_str(d->record));
        at = lmdb_val(lmdb_key_slice(&key));
        return lmdb_err(mdb_put(txn, lmdb_env_dbs(d->env)->records, &at, &value, 0));
}

static void put_bytes(struct slice bytes)
{
        const struct lmdb_config config = school_config(path);
        const struct lmdb_env_config env_config = {path, 1 << 20, 1 << 20, 4, &config.schema};
        struct damage damage = {.record = "x", .bytes = bytes};
        struct lmdb_env *env;
        bool suspected;

        assert_ok(lmdb_env_open(&env, &env_config, &suspected, NULL));
        damage.env = env;
        assert_ok(lmdb_env_update(env, put_damaged, &damage, NULL));
        lmdb_env_close(&env);
}

/* An allergy that cannot be read is an error for its list, never a list without it; other keys answer. */
static void damage_is_an_error_and_never_left_out(void **state)
{
        const char *const maps[] = {"\x93"
                                    "\x01\x02",
                "\x81\xa2"
                "id\xa1"
                "xx",
                "\x81\xa2"
                "ie\xa1"
                "x",
                "\xa1x", "\x81"};
        struct source *source = *state;
        struct lmdb_config config = school_config(path);
        struct source_read read;

        for (size_t i = 0; i <= sizeof(maps) / sizeof(maps[0]); i++) {
                uint8_t bytes[64] = {0xee};
                size_t len = 1;

                if (i > 0) {
                        const struct lmdb_record record = {.schema = 1, .version = {1}, .map = slice_str(maps[i - 1])};

                        len = lmdb_record_size(&record);
                        lmdb_record_encode(&record, bytes);
                }
                source->ops->close(&source);
                put_bytes(slice_of(bytes, len));
                source = school_open(&config);
                assert_err(ERR_CORRUPT, school_read(source, &SCHOOL_ALLERGY_LIST, slice_str("42"), &read));
                assert_false(read.found);
                assert_int_equal(buf_len(&read.value), 0);
                assert_err(ERR_CORRUPT, school_read(source, &SCHOOL_SUMMARY, slice_str("42"), &read));
                assert_int_equal(buf_len(&read.value), 0);
                buf_deinit(&read.value);
                school_expect(source, &SCHOOL_VISIT_LIST, "42", "[]");
        }
        school_must_put(source, &SCHOOL_ALLERGY_LIST, "42", "[]"); /* replacing it mends the list */
        school_expect(source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        *state = source;
}

static void ids_of_512_bytes_are_ids_like_others(void **state)
{
        char student[513];
        char twin[513];
        char json[1400];

        memset(student, 's', 512);
        memset(twin, 's', 512);
        student[512] = twin[512] = '\0';
        twin[511] = 't';
        school_must_put(*state, &SCHOOL_STUDENT, student, "{\"name\":\"Long\"}");
        school_expect(*state, &SCHOOL_ALLERGY_LIST, student, "[]");
        school_expect(*state, &SCHOOL_ALLERGY_LIST, twin, NULL);
        (void)snprintf(json, sizeof(json),
                "[{\"id\":\"%s\",\"code\":\"1\",\"severity\":\"MILD\"},{\"id\":\"%s\",\"code\":\"2\",\"severity\":"
                "\"MILD\"}]",
                student, twin);
        school_must_put(*state, &SCHOOL_ALLERGY_LIST, student, json);
        school_expect(*state, &SCHOOL_ALLERGY_LIST, student, json); /* by id, though their hashes sort otherwise */
        (void)school_sound(*state);
}

static enum err read_summary(void *context)
{
        struct source_read read;
        enum err rc = school_read(context, &SCHOOL_SUMMARY, slice_str("42"), &read);

        buf_deinit(&read.value);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        school_must_put(*state, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"a\"},{\"id\":\"b\"}]");
        each_allocation_fails(read_summary, *state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(lists_without_an_order_come_by_id, setup, teardown),
                cmocka_unit_test_setup_teardown(ordered_lists_come_newest_first_and_undated_last, setup, teardown),
                cmocka_unit_test_setup_teardown(a_composite_filters_and_limits_its_parts, setup, teardown),
                cmocka_unit_test_setup_teardown(a_single_record_that_is_not_there_is_null, setup, teardown),
                cmocka_unit_test_setup_teardown(tenants_do_not_see_one_another, setup, teardown),
                cmocka_unit_test_setup_teardown(a_batch_is_answered_from_one_snapshot, setup, teardown),
                cmocka_unit_test_setup_teardown(damage_is_an_error_and_never_left_out, setup, teardown),
                cmocka_unit_test_setup_teardown(ids_of_512_bytes_are_ids_like_others, setup, teardown),
                cmocka_unit_test_setup_teardown(survives_each_failing_allocation, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
