#include "database/lmdb_merge.h"
#include "database/lmdb_env.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <stdio.h>
#include <stdlib.h>

#define ALLERGY(id, severity) "{\"id\":\"" id "\",\"code\":\"1\",\"severity\":\"" severity "\"}"
#define MERGE(from, into)     "{\"student\":\"" from "\",\"id\":\"into\",\"into\":\"" into "\"}"

static const struct record_field MERGE_FIELDS[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"into", FIELD_STUDENT, true, NULL, NULL, 0},
};
static const struct record_table MERGES = {
        .name = "merges", .index = 3, .schema = 1, .fields = MERGE_FIELDS, .field_count = 2};
static const struct record_table *const TABLES[] = {&SCHOOL_STUDENTS, &SCHOOL_ALLERGIES, &SCHOOL_VISITS, &MERGES};
static const struct record_type MERGE_LIST = {.name = "merges", .shape = RECORD_LIST, .table = &MERGES};

enum { SEED = 9, TAGS_MAX = 256 };

struct state {
        char path[64];
        struct lmdb_config config;
        struct source *source;
        uint64_t tags[TAGS_MAX]; /* of the last commit */
        size_t tag_count;
        int commits;
};

static void on_before(void *context, const uint64_t *tags, size_t count)
{
        struct state *s = context;

        assert_true(count <= TAGS_MAX);
        memcpy(s->tags, tags, count * sizeof(*tags));
        s->tag_count = count;
        s->commits++;
}

static void add_student(struct state *s, const char *id)
{
        school_must_put(s->source, &SCHOOL_STUDENT, id, "{\"name\":\"Somebody\"}");
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->config = school_config(s->path);
        s->config.schema.tables = TABLES;
        s->config.schema.table_count = 4;
        s->config.schema.merges = &MERGES;
        s->config.hooks = (struct source_hooks){.before = on_before, .context = s, .tag_seed = SEED};
        s->source = school_open(&s->config);
        add_student(s, "a");
        add_student(s, "b");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "a", "[" ALLERGY("x", "MILD") "]");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "b", "[" ALLERGY("y", "MILD") "]");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "a", "[{\"id\":\"v\",\"date\":\"2020\"}]");
        s->commits = 0;
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        school_end(&s->source, s->path);
        free(s);
        return 0;
}

static void merge(struct state *s, const char *rows)
{
        struct source_write write;

        assert_ok(school_import(s->source, &write, &MERGES, rows));
        assert_int_equal(write.rejected, 0);
}

/* The merge of this one row is refused for that reason, and changes nothing. */
static void rejects(struct state *s, const char *rows, enum reject_reason reason, const char *field)
{
        struct buf list;
        struct buf value;
        struct source_write write = {.kind = WRITE_IMPORT, .table = &MERGES, .rejects = &list};
        const struct source_reject *rejected;
        int commits = s->commits;

        buf_init(&list, 0);
        buf_init(&value, 0);
        append_json(&value, rows);
        write.value = buf_slice(&value);
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(write.rejected, 1);
        assert_int_equal(write.written, 0);
        rejected = (const void *)buf_slice(&list).data;
        assert_string_equal(reject_word(rejected->reject.reason), reject_word(reason));
        assert_string_equal(rejected->reject.field, field);
        assert_int_equal(s->commits, commits);
        buf_deinit(&list);
        buf_deinit(&value);
}

static bool is_touched(const struct state *s, const char *student, const char *table)
{
        const struct tag tag = {
                .kind = TAG_STUDENT_TABLE, .tenant = SLICE_EMPTY, .id = slice_str(student), .table = slice_str(table)};
        const uint64_t hash = tag_hash(&tag, SEED);

        for (size_t i = 0; i < s->tag_count; i++)
                if (s->tags[i] == hash)
                        return true;
        return false;
}

static void shows_both(struct state *s, const char *id)
{
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, id, "[" ALLERGY("x", "MILD") "," ALLERGY("y", "MILD") "]");
        school_expect(s->source, &SCHOOL_VISIT_LIST, id, "[{\"id\":\"v\",\"date\":\"2020\"}]");
        school_expect(s->source, &SCHOOL_STUDENT, id, "{\"id\":\"b\",\"name\":\"Somebody\"}");
}

/* ---- what it does ---- */

static void records_move_and_both_ids_show_them(void **state)
{
        struct state *s = *state;
        struct source_health health;

        merge(s, "[" MERGE("a", "b") "]");
        shows_both(s, "a");
        shows_both(s, "b");
        health = school_sound(s->source);
        assert_int_equal(health.students, 1);
        assert_int_equal(health.records, 6); /* a's own record is kept, and the row of the merge */
        s->source->ops->close(&s->source);
        s->source = school_open(&s->config);
        shows_both(s, "a");
}

static void every_table_of_both_is_touched(void **state)
{
        static const char *const tables[] = {"students", "allergies", "visits", "merges"};
        struct state *s = *state;

        merge(s, "[" MERGE("a", "b") "]");
        assert_int_equal(s->commits, 1);
        for (size_t i = 0; i < 4; i++) {
                assert_true(is_touched(s, "a", tables[i]));
                assert_true(is_touched(s, "b", tables[i]));
        }
}

static void the_same_again_changes_nothing(void **state)
{
        struct state *s = *state;
        struct source_write write;

        merge(s, "[" MERGE("a", "b") "]");
        assert_ok(school_import(s->source, &write, &MERGES, "[" MERGE("a", "b") "]"));
        assert_int_equal(write.unchanged, 1);
        assert_int_equal(write.written, 0);
        assert_int_equal(s->commits, 1);
}

static void a_dry_run_merges_nobody(void **state)
{
        struct state *s = *state;
        struct buf value;
        struct source_write write = {.kind = WRITE_IMPORT, .table = &MERGES, .dry_run = true};

        buf_init(&value, 0);
        append_json(&value, "[" MERGE("a", "b") "]");
        write.value = buf_slice(&value);
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(write.written, 1);
        assert_int_equal(s->commits, 0);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "b", "[" ALLERGY("y", "MILD") "]");
        buf_deinit(&value);
}

/* ---- writes to either ---- */

static void a_write_to_one_is_a_write_to_the_other(void **state)
{
        struct state *s = *state;
        struct buf touched;
        struct source_write write = {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("a"), .touched = &touched};
        struct source_write import;
        struct slice left;
        struct slice student;

        buf_init(&touched, 0);
        merge(s, "[" MERGE("a", "b") "]");
        assert_ok(school_put(s->source, &write, "[" ALLERGY("z", "SEVERE") "]"));
        assert_true(is_touched(s, "a", "allergies"));
        assert_true(is_touched(s, "b", "allergies"));
        assert_false(is_touched(s, "a", "visits"));
        left = buf_slice(&touched);
        assert_true(source_touched_next(&left, &student));
        assert_slice_is(student, "b");
        assert_true(source_touched_next(&left, &student));
        assert_slice_is(student, "a");
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "b", "[" ALLERGY("z", "SEVERE") "]");
        assert_ok(school_import(s->source, &import, &SCHOOL_ALLERGIES,
                "[{\"student\":\"a\",\"id\":\"w\",\"code\":\"1\",\"severity\":\"MILD\"}]"));
        assert_true(is_touched(s, "a", "allergies"));
        assert_true(is_touched(s, "b", "allergies"));
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "a", "[" ALLERGY("w", "MILD") "," ALLERGY("z", "SEVERE") "]");
        school_must_put(s->source, &SCHOOL_STUDENT, "b", "{\"name\":\"Else\"}");
        assert_true(is_touched(s, "a", "students"));
        buf_deinit(&touched);
}

static void invalidating_one_touches_the_merged_too(void **state)
{
        struct state *s = *state;
        const struct tag tag = {.kind = TAG_STUDENT, .id = slice_str("b")};
        const struct tag also = {.kind = TAG_STUDENT, .id = slice_str("a")};
        struct source_write write = {.kind = WRITE_TOUCH, .tags = &tag, .tag_count = 1};

        merge(s, "[" MERGE("a", "b") "]");
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(s->tag_count, 2);
        assert_true(s->tags[0] == tag_hash(&tag, SEED));
        assert_true(s->tags[1] == tag_hash(&also, SEED));
}

/* Who read a's list before the merge must not write b's on the strength of it. */
static void a_stamp_of_before_does_not_hold(void **state)
{
        struct state *s = *state;
        struct source_write write = {.type = &SCHOOL_VISIT_LIST, .id = slice_str("b"), .condition = IF_UNCHANGED};

        school_must_put(s->source, &SCHOOL_VISIT_LIST, "b", "[{\"id\":\"u\"}]");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "a", "[]");
        write.unchanged_since = (struct position){school_sound(s->source).last_position};
        merge(s, "[" MERGE("a", "b") "]"); /* moves no visit */
        assert_err(ERR_CONFLICT, school_put(s->source, &write, "[]"));
        write.id = slice_str("a");
        assert_err(ERR_CONFLICT, school_put(s->source, &write, "[]"));
        school_expect(s->source, &SCHOOL_VISIT_LIST, "a", "[{\"id\":\"u\"}]");
}

static void the_merged_does_not_come_back_to_life(void **state)
{
        struct state *s = *state;
        struct source_write write;
        struct source_write put = {.type = &SCHOOL_STUDENT, .id = slice_str("a")};

        merge(s, "[" MERGE("a", "b") "," MERGE("new", "b") "]");
        assert_ok(school_import(s->source, &write, &SCHOOL_STUDENTS, "[{\"id\":\"a\",\"name\":\"Somebody\"}]"));
        assert_int_equal(write.unchanged, 1);
        assert_ok(school_import(s->source, &write, &SCHOOL_STUDENTS,
                "[{\"id\":\"a\",\"name\":\"Other\"},{\"id\":\"new\",\"name\":\"New\"}]"));
        assert_int_equal(write.written, 2);
        shows_both(s, "a");
        school_expect(s->source, &SCHOOL_STUDENT, "new", "{\"id\":\"b\",\"name\":\"Somebody\"}");
        assert_int_equal(school_sound(s->source).students, 1);
        assert_err(ERR_USE, school_put(s->source, &put, "{\"name\":\"Other\"}"));
        shows_both(s, "a");
}

/* ---- chains and circles ---- */

static void chains_collapse_whatever_their_order(void **state)
{
        struct state *s = *state;
        struct source_write write;

        add_student(s, "c");
        merge(s, "[" MERGE("a", "b") "]");
        merge(s, "[" MERGE("b", "c") "]");
        school_expect(s->source, &SCHOOL_STUDENT, "a", "{\"id\":\"c\",\"name\":\"Somebody\"}");
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "a", "[" ALLERGY("x", "MILD") "," ALLERGY("y", "MILD") "]");
        assert_true(is_touched(s, "a", "allergies"));
        assert_ok(school_import(s->source, &write, &SCHOOL_VISITS, "[{\"student\":\"c\",\"id\":\"n\"}]"));
        assert_true(is_touched(s, "a", "visits"));
        assert_true(is_touched(s, "b", "visits"));
        merge(s, "[" MERGE("d", "a") "]"); /* into one that is merged itself */
        school_expect(s->source, &SCHOOL_STUDENT, "d", "{\"id\":\"c\",\"name\":\"Somebody\"}");
        assert_int_equal(school_sound(s->source).students, 1);
}

static void circles_are_refused(void **state)
{
        struct state *s = *state;

        rejects(s, "[" MERGE("a", "a") "]", REJECT_MERGE, "into");
        merge(s, "[" MERGE("a", "b") "]");
        rejects(s, "[" MERGE("b", "a") "]", REJECT_MERGE, "into");
        rejects(s, "[" MERGE("b", "b") "]", REJECT_MERGE, "into");
        rejects(s, "[" MERGE("a", "a") "]", REJECT_MERGE, "into");
        shows_both(s, "a");
}

static void what_cannot_be_is_refused(void **state)
{
        struct state *s = *state;

        rejects(s, "[" MERGE("a", "nobody") "]", REJECT_STUDENT, "into");
        rejects(s, "[{\"student\":\"a\",\"id\":\"x\",\"into\":\"b\"}]", REJECT_ID, "id");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "a", "[" ALLERGY("y", "SEVERE") "]");
        rejects(s, "[" MERGE("a", "b") "]", REJECT_DUPLICATE, "into"); /* one of the two would be lost */
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "a", "[" ALLERGY("y", "MILD") "]");
        merge(s, "[" MERGE("a", "b") "]"); /* they are the same */
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "a", "[" ALLERGY("y", "MILD") "]");
        add_student(s, "c");
        rejects(s, "[" MERGE("a", "c") "]", REJECT_DUPLICATE,
                "into"); /* whose the records were is not known any more */
}

static void merges_are_written_by_import_alone(void **state)
{
        struct state *s = *state;
        struct source_write erase = {.kind = WRITE_ERASE, .type = &MERGE_LIST, .id = slice_str("a")};
        struct source_write put = {.type = &MERGE_LIST, .id = slice_str("a")};
        struct source_write rows = {.kind = WRITE_ERASE_ROWS, .table = &MERGES};
        struct buf value;

        buf_init(&value, 0);
        append_json(&value, "[{\"student\":\"a\",\"id\":\"into\"}]");
        rows.value = buf_slice(&value);
        merge(s, "[" MERGE("a", "b") "]");
        assert_err(ERR_USE, school_apply(s->source, &erase));
        assert_err(ERR_USE, school_apply(s->source, &rows));
        assert_err(ERR_USE, school_put(s->source, &put, "[]"));
        shows_both(s, "a");
        buf_deinit(&value);
}

/* ---- erasure ---- */

static size_t entries_naming(struct state *s, MDB_dbi dbi, MDB_txn *txn, char id)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        size_t count = 0;
        const char part[] = {1, id, '\0'};

        (void)s;
        assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), MDB_SUCCESS);
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS)
                count += memmem(key.mv_data, key.mv_size, part, 2) != NULL;
        mdb_cursor_close(cursor);
        return count;
}

static void erasing_takes_all_that_was_merged_without_a_trace(void **state)
{
        struct state *s = *state;
        struct buf touched;
        struct source_write write = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("a"), .touched = &touched};
        const struct lmdb_env_config config = {s->path, 1 << 20, 1 << 20, 4, &s->config.schema};
        struct slice left;
        struct slice student;
        struct lmdb_env *env;
        MDB_txn *txn;
        bool suspected;

        buf_init(&touched, 0);
        add_student(s, "c");
        merge(s, "[" MERGE("a", "b") "]");
        assert_err(ERR_USE, school_apply(s->source, &write));
        shows_both(s, "b");
        write.id = slice_str("b");
        assert_ok(school_apply(s->source, &write));
        assert_true(is_touched(s, "a", "allergies"));
        assert_true(is_touched(s, "b", "allergies"));
        assert_true(is_touched(s, "a", "students"));
        left = buf_slice(&touched);
        assert_true(source_touched_next(&left, &student));
        assert_slice_is(student, "a");
        assert_false(source_touched_next(&left, &student));
        school_expect(s->source, &SCHOOL_STUDENT, "a", NULL);
        school_expect(s->source, &SCHOOL_STUDENT, "b", NULL);
        assert_int_equal(school_sound(s->source).students, 1);
        s->source->ops->close(&s->source);
        assert_ok(lmdb_env_open(&env, &config, &suspected, NULL));
        assert_ok(lmdb_env_read_begin(env, &txn));
        for (char id = 'a'; id <= 'b'; id++) {
                assert_int_equal(entries_naming(s, lmdb_env_dbs(env)->records, txn, id), 0);
                assert_int_equal(entries_naming(s, lmdb_env_dbs(env)->by_activity, txn, id), 0);
                assert_int_equal(entries_naming(s, lmdb_env_dbs(env)->by_severity, txn, id), 0);
                assert_int_equal(entries_naming(s, lmdb_env_dbs(env)->merged, txn, id), 0);
        }
        assert_int_equal(entries_naming(s, lmdb_env_dbs(env)->records, txn, 'c'), 2);
        lmdb_env_read_end(env, &txn);
        lmdb_env_close(&env);
        s->source = school_open(&s->config);
        add_student(s, "a"); /* anybody's id again */
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "a", "[]");
        school_expect(s->source, &SCHOOL_STUDENT, "b", NULL);
        buf_deinit(&touched);
}

/* ---- walks, many records, long ids ---- */

struct walked {
        struct buf text;   /* of each row: table/student/id */
        struct buf cursor; /* of the last one */
        bool one;          /* stop behind the first */
};

static enum err note_row(void *context, const struct source_row *row)
{
        struct walked *walked = context;

        buf_truncate(&walked->cursor, 0);
        assert_ok(buf_append_slice(&walked->cursor, row->cursor));
        assert_ok(buf_printf(
                &walked->text, "%.*s/%.*s/%.*s ", SLICE_ARG(row->table), SLICE_ARG(row->student), SLICE_ARG(row->id)));
        return walked->one ? ERR_LIMIT : OK;
}

/* What a walk of the student's meets, all at once or each row by a walk of its own. */
static void meets(struct state *s, const char *student, bool one, const char *expected)
{
        struct walked walked = {.one = one};
        struct buf after;
        enum err rc;

        buf_init(&walked.text, 0);
        buf_init(&walked.cursor, 0);
        buf_init(&after, 0);
        do {
                const struct source_walk walk = {.student = slice_str(student),
                        .after = buf_slice(&after),
                        .visit = note_row,
                        .context = &walked};

                rc = s->source->ops->walk(s->source, &walk, NULL);
                buf_truncate(&after, 0);
                assert_ok(buf_append_slice(&after, buf_slice(&walked.cursor)));
        } while (rc == ERR_LIMIT);
        assert_ok(rc);
        assert_slice_is(buf_slice(&walked.text), expected);
        buf_deinit(&walked.text);
        buf_deinit(&walked.cursor);
        buf_deinit(&after);
}

/* All that is recorded of the person, and who else it is: enough to import it elsewhere. */
static void a_walk_of_one_is_a_walk_of_the_other(void **state)
{
        static const char *const expected =
                "visits/b/v students/b/b allergies/b/x allergies/b/y merges/a/into students/a/a ";
        struct state *s = *state;

        merge(s, "[" MERGE("a", "b") "]");
        meets(s, "a", false, expected);
        meets(s, "b", false, expected);
        meets(s, "a", true, expected);
}

static void many_records_of_a_long_id_move(void **state)
{
        enum { ROWS = 100 };
        struct state *s = *state;
        char id[101] = "";
        char row[256];
        struct buf json;
        struct source_write write;
        struct source_read read;
        struct value_iter iter;

        memset(id, 'i', 100);
        add_student(s, id);
        buf_init(&json, 0);
        for (int i = 0; i < ROWS; i++)
                assert_ok(buf_printf(&json, "%s{\"student\":\"%s\",\"id\":\"%d\"}", i == 0 ? "[" : ",", id, i));
        assert_ok(buf_append(&json, "]", 2)); /* and its end */
        assert_ok(school_import(s->source, &write, &SCHOOL_VISITS, (const char *)buf_slice(&json).data));
        assert_int_equal(write.written, ROWS);
        (void)snprintf(row, sizeof(row), "[{\"student\":\"a\",\"id\":\"into\",\"into\":\"%s\"}]", id);
        merge(s, row);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, id, "[" ALLERGY("x", "MILD") "]");
        (void)snprintf(row, sizeof(row), "[{\"student\":\"%s\",\"id\":\"into\",\"into\":\"b\"}]", id);
        merge(s, row);
        assert_ok(school_read(s->source, &SCHOOL_VISIT_LIST, slice_str("a"), &read));
        assert_true(value_iter_init(&iter, buf_slice(&read.value), VALUE_LIST));
        assert_int_equal(iter.left, ROWS + 1);
        buf_deinit(&read.value);
        buf_deinit(&json);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(records_move_and_both_ids_show_them),
                TEST(every_table_of_both_is_touched),
                TEST(the_same_again_changes_nothing),
                TEST(a_dry_run_merges_nobody),
                TEST(a_write_to_one_is_a_write_to_the_other),
                TEST(invalidating_one_touches_the_merged_too),
                TEST(a_stamp_of_before_does_not_hold),
                TEST(the_merged_does_not_come_back_to_life),
                TEST(chains_collapse_whatever_their_order),
                TEST(circles_are_refused),
                TEST(what_cannot_be_is_refused),
                TEST(merges_are_written_by_import_alone),
                TEST(erasing_takes_all_that_was_merged_without_a_trace),
                TEST(a_walk_of_one_is_a_walk_of_the_other),
                TEST(many_records_of_a_long_id_move),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
