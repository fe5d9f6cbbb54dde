#include "database/lmdb_change.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <stdio.h>
#include <stdlib.h>

#define A       "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}"
#define A_WORSE "{\"id\":\"a\",\"code\":\"1\",\"severity\":\"SEVERE\"}"
#define B       "{\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"}"

/* What the hooks have been told since it was last asked. */
struct told {
        uint64_t tags[16];
        size_t count;
        int before;
        int after;
        int aborted;
};

struct state {
        char path[64];
        struct told told;
        struct source *source;
};

static void on_before(void *context, const uint64_t *tags, size_t count)
{
        struct told *told = context;

        assert_true(count <= 16);
        memcpy(told->tags, tags, count * sizeof(*tags));
        told->count = count;
        told->before++;
}

static void on_after(void *context, const uint64_t *tags, size_t count, struct position position)
{
        struct told *told = context;

        assert_int_equal(count, told->count);
        assert_memory_equal(told->tags, tags, count * sizeof(*tags));
        assert_true(position.n > 0);
        told->after++;
}

static void on_aborted(void *context, const uint64_t *tags, size_t count)
{
        struct told *told = context;

        (void)tags;
        assert_int_equal(count, told->count);
        told->aborted++;
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));
        struct lmdb_config config;

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        config = school_config(s->path);
        config.hooks = (struct source_hooks){
                .before = on_before, .after = on_after, .aborted = on_aborted, .context = &s->told, .tag_seed = 9};
        s->source = school_open(&config);
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

static void add_student(struct state *s)
{
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        s->told = (struct told){.count = 0};
}

/* The hooks were told of one commit that touched exactly these tables of student 42 (in any order). */
static void touched(struct state *s, const char *const *tables, size_t count)
{
        assert_int_equal(s->told.before, 1);
        assert_int_equal(s->told.after, 1);
        assert_int_equal(s->told.aborted, 0);
        assert_int_equal(s->told.count, count);
        for (size_t i = 0; i < count; i++) {
                const struct tag tag = {.kind = TAG_STUDENT_TABLE,
                        .tenant = SLICE_EMPTY,
                        .id = slice_str("42"),
                        .table = slice_str(tables[i])};
                uint64_t hash = tag_hash(&tag, 9);
                size_t at = 0;

                while (at < count && s->told.tags[at] != hash)
                        at++;
                assert_true(at < count);
        }
        s->told = (struct told){.count = 0};
}

static void untouched(struct state *s)
{
        assert_int_equal(s->told.before + s->told.after + s->told.aborted, 0);
}

static struct position position_of(struct state *s)
{
        return (struct position){school_sound(s->source).last_position};
}

static const char *const STUDENTS[] = {"students"};
static const char *const ALLERGIES[] = {"allergies"};
static const char *const ALL[] = {"students", "allergies", "visits"};

/* ---- PUT ---- */

static void creating_and_changing_a_student_touches_its_students_tag(void **state)
{
        struct state *s = *state;

        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        touched(s, STUDENTS, 1);
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada L.\"}");
        touched(s, STUDENTS, 1);
        assert_int_equal(school_sound(s->source).students, 1);
}

static void put_replaces_the_whole_list_and_touches_it(void **state)
{
        struct state *s = *state;

        add_student(s);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        touched(s, ALLERGIES, 1);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A_WORSE "]");
        touched(s, ALLERGIES, 1);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A_WORSE "]");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        touched(s, ALLERGIES, 1);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
}

static void put_of_what_is_there_touches_nothing(void **state)
{
        struct state *s = *state;
        struct source_write write = {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42")};
        struct position before;

        add_student(s);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        s->told = (struct told){.count = 0};
        before = position_of(s);
        assert_ok(school_put(s->source, &write, "[" B "," A "]"));
        untouched(s);
        assert_int_equal(write.position.n, before.n); /* the newest there is */
        assert_int_equal(position_of(s).n, before.n); /* and no commit */
}

static void put_for_an_unknown_student_is_refused(void **state)
{
        struct state *s = *state;
        struct source_write write = {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42")};

        assert_err(ERR_NOSTUDENT, school_put(s->source, &write, "[" A "]"));
        assert_true(write.message.text[0] != '\0');
        write.condition = IF_NEW;
        assert_err(ERR_NOSTUDENT, school_put(s->source, &write, "[" A "]"));
        untouched(s);
}

static void put_if_new_needs_that_nothing_is_recorded(void **state)
{
        struct state *s = *state;
        struct source_write student = {.type = &SCHOOL_STUDENT, .id = slice_str("42"), .condition = IF_NEW};
        struct source_write list = {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42"), .condition = IF_NEW};
        struct position put;

        assert_ok(school_put(s->source, &student, "{\"name\":\"Ada\"}"));
        put = student.position;
        assert_err(ERR_CONFLICT, school_put(s->source, &student, "{\"name\":\"Eve\"}"));
        assert_int_equal(student.position.n, put.n); /* of the commit that it lost to */
        assert_ok(school_put(s->source, &list, "[]"));
        assert_ok(school_put(s->source, &list, "[" A "]"));
        assert_err(ERR_CONFLICT, school_put(s->source, &list, "[" B "]"));
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "]");
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
}

static void put_if_unchanged_holds_for_this_key_alone(void **state)
{
        struct state *s = *state;
        struct source_write write = {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42"), .condition = IF_UNCHANGED};
        struct position stamp;
        struct position newer;

        add_student(s);
        stamp = position_of(s);
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\"}]"); /* another key of the student */
        write.unchanged_since = stamp;
        assert_ok(school_put(s->source, &write, "[" A "]"));
        newer = write.position;
        assert_true(newer.n > stamp.n);
        assert_err(ERR_CONFLICT, school_put(s->source, &write, "[" B "]"));
        assert_int_equal(write.position.n, newer.n);
        write.unchanged_since = newer;
        assert_ok(school_put(s->source, &write, "[" B "]"));
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" B "]");
}

/* ---- ERASE ---- */

static void erase_empties_one_list(void **state)
{
        struct state *s = *state;
        struct source_write write = {.kind = WRITE_ERASE, .type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42")};

        assert_err(ERR_NOSTUDENT, school_apply(s->source, &write));
        add_student(s);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "]");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\"}]");
        s->told = (struct told){.count = 0};
        write.condition = IF_UNCHANGED;
        write.unchanged_since = (struct position){1};
        assert_err(ERR_CONFLICT, school_apply(s->source, &write));
        untouched(s);
        write.condition = IF_FORCE;
        assert_ok(school_apply(s->source, &write));
        touched(s, ALLERGIES, 1);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        school_expect(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\"}]");
        assert_ok(school_apply(s->source, &write));
        untouched(s);
}

static void erase_of_the_student_record_alone_is_refused(void **state)
{
        struct state *s = *state;
        struct source_write write = {.kind = WRITE_ERASE, .type = &SCHOOL_STUDENT, .id = slice_str("42")};

        add_student(s);
        assert_err(ERR_USE, school_apply(s->source, &write));
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
}

static void erasing_a_student_takes_and_touches_every_table(void **state)
{
        struct state *s = *state;
        struct source_write write = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("42")};
        struct source_write put = {.type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42"), .condition = IF_UNCHANGED};

        assert_err(ERR_NOSTUDENT, school_apply(s->source, &write));
        add_student(s);
        school_must_put(s->source, &SCHOOL_STUDENT, "4", "{\"name\":\"Bob\"}");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "4", "[{\"id\":\"v\"}]");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        put.unchanged_since = position_of(s);
        s->told = (struct told){.count = 0};
        assert_ok(school_apply(s->source, &write));
        touched(s, ALL, 3);
        school_expect(s->source, &SCHOOL_STUDENT, "42", NULL);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", NULL);
        school_expect(s->source, &SCHOOL_VISIT_LIST, "4", "[{\"id\":\"v\"}]");
        assert_int_equal(school_sound(s->source).students, 1);
        assert_int_equal(school_sound(s->source).records, 2);
        add_student(s); /* the same id again: what was recorded then is gone, and a stamp of then does not hold */
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        assert_err(ERR_CONFLICT, school_put(s->source, &put, "[" A "]"));
}

/* ---- TOUCH ---- */

static void touching_has_a_position_of_its_own(void **state)
{
        struct state *s = *state;
        const struct tag tags[] = {
                {.kind = TAG_STUDENT, .id = slice_str("42")}, {.kind = TAG_ALL, .tenant = SLICE_EMPTY}};
        struct source_write write = {.kind = WRITE_TOUCH, .tags = tags, .tag_count = 2};
        struct position before = position_of(s);

        assert_ok(school_apply(s->source, &write));
        assert_int_equal(write.position.n, before.n + 1);
        assert_int_equal(s->told.after, 1);
        assert_int_equal(s->told.count, 2);
        assert_int_equal(s->told.tags[0], tag_hash(&tags[0], 9));
        assert_int_equal(s->told.tags[1], tag_hash(&tags[1], 9));
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(write.position.n, before.n + 2);
}

/* ---- IMPORT ---- */

static void import_counts_what_it_did_and_twice_changes_nothing(void **state)
{
        struct state *s = *state;
        const char *students = "[{\"id\":\"42\",\"student\":\"42\",\"name\":\"Ada\"},{\"id\":\"7\",\"name\":\"Bob\"}]";
        const char *allergies = "[{\"student\":\"42\",\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"},"
                                "{\"student\":\"nobody\",\"id\":\"c\",\"code\":\"3\",\"severity\":\"MILD\"},"
                                "{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]";
        struct source_write write;

        assert_ok(school_import(s->source, &write, &SCHOOL_STUDENTS, students));
        assert_int_equal(write.written, 2);
        assert_int_equal(s->told.count, 2);
        s->told = (struct told){.count = 0};
        assert_ok(school_import(s->source, &write, &SCHOOL_ALLERGIES, allergies));
        assert_int_equal(write.written, 2);
        assert_int_equal(write.unchanged, 0);
        assert_int_equal(write.rejected, 1);
        touched(s, ALLERGIES, 1); /* once for its two rows */
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        assert_ok(school_import(s->source, &write, &SCHOOL_ALLERGIES, allergies));
        assert_int_equal(write.written, 0);
        assert_int_equal(write.unchanged, 2);
        assert_int_equal(write.rejected, 1);
        assert_ok(school_import(s->source, &write, &SCHOOL_STUDENTS, students));
        assert_int_equal(write.unchanged, 2);
        untouched(s);
        assert_int_equal(school_sound(s->source).students, 2);
}

static void touched_students_are_those_whose_records_changed(void **state)
{
        struct state *s = *state;
        struct buf students;
        struct source_write write = {
                .kind = WRITE_ERASE, .type = &SCHOOL_ALLERGY_LIST, .id = slice_str("42"), .touched = &students};

        add_student(s);
        buf_init(&students, 0);
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(buf_len(&students), 0); /* there was nothing to erase */
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "]");
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(buf_len(&students), 2 + strlen("42"));
        assert_ok(school_apply(s->source, &write));
        assert_int_equal(buf_len(&students), 0); /* anew for each write */
        buf_deinit(&students);
}

static void import_adds_to_a_list_and_the_earlier_of_twins_holds(void **state)
{
        struct state *s = *state;
        struct source_write write;

        add_student(s);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" B "]");
        assert_ok(school_import(s->source, &write, &SCHOOL_ALLERGIES,
                "[{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"},"
                "{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"SEVERE\"},"
                "{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]"));
        assert_int_equal(write.written, 1);
        assert_int_equal(write.unchanged, 1);
        assert_int_equal(write.rejected, 1);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
}

/* One row of each kind: new, of nobody, unfit, a twin that differs, unfit, new. */
#define MIXED                                                                                                          \
        "[{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"},"                                     \
        "{\"student\":\"nobody\",\"id\":\"c\",\"code\":\"3\",\"severity\":\"MILD\"},"                                  \
        "{\"student\":\"42\",\"id\":\"d\",\"code\":\"1\",\"severity\":\"AWFUL\"},"                                     \
        "{\"student\":\"42\",\"id\":\"a\",\"code\":\"1\",\"severity\":\"SEVERE\"},"                                    \
        "7,{\"student\":\"42\",\"id\":\"b\",\"code\":\"2\",\"severity\":\"MILD\"}]"

static void assert_rejected(const struct buf *rejects, size_t at, uint32_t row, enum reject_reason reason)
{
        const struct source_reject *list = (const void *)buf_slice(rejects).data;

        assert_int_equal(list[at].row, row);
        assert_string_equal(reject_word(list[at].reject.reason), reject_word(reason));
}

static void import_mixed(struct state *s, struct source_write *write)
{
        struct buf rows;

        buf_init(&rows, 0);
        append_json(&rows, MIXED);
        write->value = buf_slice(&rows);
        assert_ok(school_apply(s->source, write));
        assert_int_equal(write->rejected, 4);
        assert_int_equal(buf_len(write->rejects), 4 * sizeof(struct source_reject));
        assert_rejected(write->rejects, 0, 1, REJECT_STUDENT);
        assert_int_equal(((const struct source_reject *)(const void *)buf_slice(write->rejects).data)[1].row, 2);
        assert_rejected(write->rejects, 2, 3, REJECT_DUPLICATE);
        assert_int_equal(((const struct source_reject *)(const void *)buf_slice(write->rejects).data)[3].row, 4);
        buf_deinit(&rows);
}

static void rows_that_do_not_fit_are_left_out_and_listed(void **state)
{
        struct state *s = *state;
        struct buf rejects;
        struct source_write write = {.kind = WRITE_IMPORT, .table = &SCHOOL_ALLERGIES, .rejects = &rejects};

        buf_init(&rejects, 0);
        add_student(s);
        import_mixed(s, &write);
        assert_int_equal(write.written, 2);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        import_mixed(s, &write); /* the list is made anew for each write */
        assert_int_equal(write.written, 0);
        assert_int_equal(write.unchanged, 2);
        assert_ok(school_import(s->source, &write, &SCHOOL_ALLERGIES, MIXED)); /* nobody wants the list */
        assert_int_equal(write.rejected, 4);
        assert_err(ERR_BADVALUE, school_import(s->source, &write, &SCHOOL_ALLERGIES, "{}"));
        assert_ok(school_import(s->source, &write, &SCHOOL_ALLERGIES, "[]"));
        buf_deinit(&rejects);
}

static void a_dry_run_says_what_would_be_and_changes_nothing(void **state)
{
        struct state *s = *state;
        struct buf rejects;
        struct source_write write = {
                .kind = WRITE_IMPORT, .table = &SCHOOL_ALLERGIES, .rejects = &rejects, .dry_run = true};
        struct position before;

        buf_init(&rejects, 0);
        add_student(s);
        before = position_of(s);
        import_mixed(s, &write);
        assert_int_equal(write.written, 2);
        assert_int_equal(write.position.n, before.n);
        untouched(s);
        assert_int_equal(position_of(s).n, before.n);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        buf_deinit(&rejects);
}

/* ---- ERASE_ROWS ---- */

static enum err erase_rows(struct state *s, struct source_write *write, const char *json)
{
        struct buf rows;
        enum err rc;

        buf_init(&rows, 0);
        append_json(&rows, json);
        write->kind = WRITE_ERASE_ROWS;
        write->value = buf_slice(&rows);
        rc = school_apply(s->source, write);
        buf_deinit(&rows);
        return rc;
}

static void single_rows_are_erased_and_their_students_touched(void **state)
{
        static const char *const rows = "[{\"student\":\"42\",\"id\":\"a\"},{\"student\":\"42\",\"id\":\"x\"},"
                                        "{\"student\":\"42\",\"id\":\"a\"},{\"student\":\"7\",\"id\":\"a\"}]";
        struct state *s = *state;
        struct buf students;
        struct source_write write = {.table = &SCHOOL_ALLERGIES, .touched = &students, .dry_run = true};
        struct slice left;
        struct slice student;

        buf_init(&students, 0);
        add_student(s);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        s->told = (struct told){.count = 0};
        assert_ok(erase_rows(s, &write, rows));
        assert_int_equal(write.written, 1);
        assert_int_equal(write.unchanged, 3);
        untouched(s);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" A "," B "]");
        write.dry_run = false;
        assert_ok(erase_rows(s, &write, rows));
        assert_int_equal(write.written, 1);
        touched(s, ALLERGIES, 1);
        left = buf_slice(&students);
        assert_true(source_touched_next(&left, &student));
        assert_slice_is(student, "42");
        assert_false(source_touched_next(&left, &student));
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[" B "]");
        buf_deinit(&students);
}

static void erasing_rows_takes_maps_with_ids_and_no_students(void **state)
{
        struct state *s = *state;
        struct source_write write = {.table = &SCHOOL_ALLERGIES};

        add_student(s);
        assert_err(ERR_BADVALUE, erase_rows(s, &write, "[{\"student\":\"42\"}]"));
        assert_err(ERR_BADVALUE, erase_rows(s, &write, "[{\"student\":\"\",\"id\":\"a\"}]"));
        assert_err(ERR_BADVALUE, erase_rows(s, &write, "[\"a\"]"));
        write.table = &SCHOOL_STUDENTS;
        assert_err(ERR_USE, erase_rows(s, &write, "[{\"student\":\"42\",\"id\":\"42\"}]"));
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
        untouched(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(creating_and_changing_a_student_touches_its_students_tag),
                TEST(put_replaces_the_whole_list_and_touches_it),
                TEST(put_of_what_is_there_touches_nothing),
                TEST(put_for_an_unknown_student_is_refused),
                TEST(put_if_new_needs_that_nothing_is_recorded),
                TEST(put_if_unchanged_holds_for_this_key_alone),
                TEST(erase_empties_one_list),
                TEST(erase_of_the_student_record_alone_is_refused),
                TEST(erasing_a_student_takes_and_touches_every_table),
                TEST(touching_has_a_position_of_its_own),
                TEST(import_counts_what_it_did_and_twice_changes_nothing),
                TEST(touched_students_are_those_whose_records_changed),
                TEST(import_adds_to_a_list_and_the_earlier_of_twins_holds),
                TEST(rows_that_do_not_fit_are_left_out_and_listed),
                TEST(a_dry_run_says_what_would_be_and_changes_nothing),
                TEST(single_rows_are_erased_and_their_students_touched),
                TEST(erasing_rows_takes_maps_with_ids_and_no_students),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
