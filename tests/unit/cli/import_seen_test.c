/* The question "did this row come before?" against an oracle that keeps everything in memory: many random inputs, with
 * filters so small that most of what they say is wrong. */
#include "base/buf.h"
#include "base/hash.h"
#include "cli/import_seen.h"
#include "database/value.h"
#include "tests/lib/test.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES_MAX = 4096 };

/* What the rows of one input are made of. */
struct trial {
        struct import_seen *seen;
        size_t rows;
        uint32_t *names;          /* of each row */
        uint32_t *contents;       /* of each row */
        enum seen_verdict *found; /* of each row */
        bool *deferred;           /* of each row */
        uint64_t last_ticket[NAMES_MAX];
};

static struct mark mark_of(const struct trial *t, uint32_t name, uint32_t content)
{
        char id[16];
        const struct import_name names = {
                .table = slice_str("allergies"), .student = slice_str("7"), .id = slice_of(id, sizeof(id))};

        (void)snprintf(id, sizeof(id), "%015u", name);
        return import_seen_mark(t->seen, &names, slice_of(&content, sizeof(content)));
}

static enum err take_verdict(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        struct trial *t = context;
        size_t row = (size_t)ticket - 1;

        assert_true(row < t->rows && t->deferred[row]);
        assert_int_equal(t->found[row], SEEN_PERHAPS); /* each is settled once */
        assert_true(ticket > t->last_ticket[t->names[row]]);
        t->last_ticket[t->names[row]] = ticket;
        t->found[row] = verdict;
        return OK;
}

static void note_all(struct trial *t)
{
        for (size_t row = 0; row < t->rows; row++) {
                struct mark mark = mark_of(t, t->names[row], t->contents[row]);

                assert_ok(import_seen_note(t->seen, &mark, &t->found[row], NULL));
                t->deferred[row] = t->found[row] == SEEN_PERHAPS;
                mark.ticket = row + 1;
                if (t->deferred[row])
                        assert_ok(import_seen_defer(t->seen, &mark, NULL));
        }
        assert_ok(import_seen_settle(t->seen, take_verdict, t, NULL));
}

/* Returns how many new rows were put aside: the filter's mistakes. */
static size_t check_against_oracle(const struct trial *t)
{
        static uint32_t content_of[NAMES_MAX];
        static bool known[NAMES_MAX];
        size_t mistakes = 0;
        size_t names = 0;

        memset(known, 0, sizeof(known));
        for (size_t row = 0; row < t->rows; row++) {
                uint32_t name = t->names[row];
                enum seen_verdict expected = SEEN_NEW;

                if (known[name])
                        expected = content_of[name] == t->contents[row] ? SEEN_SAME : SEEN_DIFFERENT;
                assert_int_equal(t->found[row], expected);
                mistakes += expected == SEEN_NEW && t->deferred[row] ? 1 : 0;
                names += known[name] ? 0 : 1;
                if (!known[name])
                        content_of[name] = t->contents[row];
                known[name] = true;
        }
        assert_int_equal(mark_log_total(import_seen_came(t->seen)), names); /* each name once */
        return mistakes;
}

/* One random input of `rows` rows over `names` names. */
static size_t run_trial(size_t filter_bytes, size_t rows, uint32_t names, uint64_t *state)
{
        const struct import_seen_config config = {.filter_bytes = filter_bytes, .seed = random_next(state)};
        struct trial t = {.rows = rows,
                .names = calloc(rows, sizeof(uint32_t)),
                .contents = calloc(rows, sizeof(uint32_t)),
                .found = calloc(rows, sizeof(enum seen_verdict)),
                .deferred = calloc(rows, sizeof(bool))};
        size_t mistakes;

        assert_ok(import_seen_create(&t.seen, &config));
        for (size_t row = 0; row < rows; row++) {
                t.names[row] = (uint32_t)(random_next(state) % names);
                t.contents[row] = (uint32_t)(random_next(state) % 3);
        }
        note_all(&t);
        mistakes = check_against_oracle(&t);
        import_seen_destroy(&t.seen);
        free(t.names);
        free(t.contents);
        free(t.found);
        free(t.deferred);
        return mistakes;
}

static void tiny_filters_are_wrong_and_verdicts_right(void **state)
{
        uint64_t seed = 1;
        size_t mistakes = 0;

        (void)state;
        for (int i = 0; i < 300; i++)
                mistakes += run_trial(64, 1 + (size_t)(random_next(&seed) % 400), 1 + (uint32_t)(i * 3), &seed);
        assert_true(mistakes > 1000); /* else this test would test nothing */
        for (int i = 0; i < 5; i++)
                mistakes = run_trial(1024, 20000, NAMES_MAX, &seed);
        assert_true(mistakes > 100);
}

static void a_filter_of_its_size_is_seldom_wrong(void **state)
{
        uint64_t seed = 2;

        (void)state;
        assert_int_equal(run_trial(1 << 20, 20000, NAMES_MAX, &seed), 0);
}

struct counts {
        size_t verdicts[SEEN_PERHAPS];
};

static enum err count_verdict(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        struct counts *counts = context;

        assert_true(ticket != 0);
        counts->verdicts[verdict]++;
        return OK;
}

/* Marks by the hundred thousand, so that the logs are read back from disk. */
static void a_long_input_given_twice_is_all_the_same(void **state)
{
        enum { ROWS = 150000 };
        const struct import_seen_config config = {.filter_bytes = 1 << 18, .seed = 3};
        struct trial t = {.rows = 0};
        struct counts counts = {.verdicts = {0}};
        enum seen_verdict verdict;

        (void)state;
        assert_ok(import_seen_create(&t.seen, &config));
        for (uint32_t i = 0; i < 2 * ROWS; i++) {
                struct mark mark = mark_of(&t, i % ROWS, 0);

                assert_ok(import_seen_note(t.seen, &mark, &verdict, NULL));
                mark.ticket = i + 1;
                if (verdict == SEEN_PERHAPS)
                        assert_ok(import_seen_defer(t.seen, &mark, NULL));
        }
        assert_ok(import_seen_settle(t.seen, count_verdict, &counts, NULL));
        assert_int_equal(counts.verdicts[SEEN_SAME], ROWS);
        assert_int_equal(counts.verdicts[SEEN_DIFFERENT], 0);
        assert_in_range(counts.verdicts[SEEN_NEW], 1, ROWS / 10); /* the filter's mistakes */
        assert_int_equal(mark_log_total(import_seen_came(t.seen)), ROWS);
        import_seen_destroy(&t.seen);
}

/* The heap's size where it is greatest: while verdicts are told. (AddressSanitizer's heap says 0.) */
static enum err note_heap(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        size_t *most = context;
        size_t used = mallinfo2().uordblks + mallinfo2().hblkhd;

        (void)ticket;
        assert_int_equal(verdict, SEEN_SAME);
        *most = used > *most ? used : *most;
        return OK;
}

static void one_row_many_times_takes_no_more_memory(void **state)
{
        enum { ROWS = 200000, MOST = 1 << 20 };
        const struct import_seen_config config = {.filter_bytes = 64, .seed = 5};
        struct trial t = {.rows = 0};
        size_t before;
        size_t most = 0;

        (void)state;
        assert_ok(import_seen_create(&t.seen, &config));
        before = mallinfo2().uordblks + mallinfo2().hblkhd;
        for (uint32_t i = 0; i < ROWS; i++) {
                struct mark mark = mark_of(&t, 1, 0);
                enum seen_verdict verdict;

                assert_ok(import_seen_note(t.seen, &mark, &verdict, NULL));
                mark.ticket = i + 1;
                if (verdict == SEEN_PERHAPS)
                        assert_ok(import_seen_defer(t.seen, &mark, NULL));
        }
        assert_ok(import_seen_settle(t.seen, note_heap, &most, NULL));
        assert_in_range(most, 0, before + MOST);
        import_seen_destroy(&t.seen);
}

/* ---- names ---- */

static void put_row(struct buf *out, const char *const *members)
{
        uint32_t count = 0;
        size_t mark;

        assert_ok(value_open_map(out, &mark));
        for (; members[2 * count] != NULL; count++)
                assert_ok(value_put_member(out, members[2 * count], slice_str(members[2 * count + 1])));
        value_close(out, mark, count);
}

static bool name_of(const char *table, const char *const *members, struct import_name *name, struct buf *row)
{
        buf_truncate(row, 0);
        put_row(row, members);
        return import_name_of(table, buf_slice(row), name);
}

static void a_name_is_table_student_and_id(void **state)
{
        struct import_name name;
        struct buf row;
        char long_id[600];

        (void)state;
        buf_init(&row, 0);
        memset(long_id, 'x', sizeof(long_id) - 1);
        long_id[sizeof(long_id) - 1] = '\0';
        assert_true(name_of("allergies", (const char *const[]){"student", "7", "id", "a", NULL}, &name, &row));
        assert_slice_is(name.student, "7");
        assert_slice_is(name.id, "a");
        assert_true(name_of("students", (const char *const[]){"first_name", "Ana", "id", "7", NULL}, &name, &row));
        assert_slice_is(name.student, "7");
        assert_false(name_of("allergies", (const char *const[]){"id", "a", NULL}, &name, &row));
        assert_false(name_of("allergies", (const char *const[]){"student", "7", NULL}, &name, &row));
        assert_false(name_of("allergies", (const char *const[]){"student", "7", "id", long_id, NULL}, &name, &row));
        assert_false(name_of("allergies", (const char *const[]){"student", long_id, "id", "a", NULL}, &name, &row));
        buf_deinit(&row);
}

static void names_are_told_apart_by_each_part(void **state)
{
        static const struct {
                const char *table;
                const char *student;
                const char *id;
        } names[] = {{"allergies", "7", "a"}, {"conditions", "7", "a"}, {"allergies", "8", "a"},
                {"allergies", "7", "b"}, {"allergies", "7a", ""}, {"allergies", "", "7a"}};
        enum { COUNT = sizeof(names) / sizeof(names[0]) };
        const struct import_seen_config config = {.filter_bytes = 64, .seed = 4};
        struct import_seen *seen;
        struct mark marks[COUNT];

        (void)state;
        assert_ok(import_seen_create(&seen, &config));
        for (size_t i = 0; i < COUNT; i++) {
                const struct import_name name = {.table = slice_str(names[i].table),
                        .student = slice_str(names[i].student),
                        .id = slice_str(names[i].id)};

                marks[i] = import_seen_mark(seen, &name, slice_str("row"));
                assert_int_equal(marks[i].content, marks[0].content);
                for (size_t before = 0; before < i; before++)
                        assert_memory_not_equal(marks[i].name, marks[before].name, sizeof(marks[i].name));
        }
        import_seen_destroy(&seen);
}

static uint64_t content_of(const struct import_seen *seen, const char *student, const char *code)
{
        struct slice text;
        struct buf row;
        uint64_t hash;

        buf_init(&row, 0);
        put_row(&row, (const char *const[]){"id", "a", "student", student, "code", code, NULL});
        assert_true(value_member_text(buf_slice(&row), "student", &text));
        hash = import_seen_content(seen, buf_slice(&row), text);
        buf_deinit(&row);
        return hash;
}

static void content_is_all_but_the_student(void **state)
{
        static const char ids[] = "0123456789012345678901234567890123456789";
        const struct import_seen_config config = {.filter_bytes = 64, .seed = 4};
        struct import_seen *seen;
        char long_id[300];

        (void)state;
        memset(long_id, 'x', sizeof(long_id) - 1);
        long_id[sizeof(long_id) - 1] = '\0';
        assert_ok(import_seen_create(&seen, &config));
        assert_true(content_of(seen, "7", "x") == content_of(seen, "4711", "x"));
        assert_true(content_of(seen, "7", "x") == content_of(seen, ids, "x"));
        assert_true(content_of(seen, "7", "x") == content_of(seen, long_id, "x"));
        assert_true(content_of(seen, "7", "x") == content_of(seen, "", "x"));
        assert_true(content_of(seen, "7", "x") != content_of(seen, "7", "y"));
        import_seen_destroy(&seen);
}

/* ---- failures ---- */

static enum err refuse(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        (void)context;
        (void)ticket;
        (void)verdict;
        return ERR_UNAVAILABLE;
}

static void what_the_visitor_returns_ends_it(void **state)
{
        const struct import_seen_config config = {.filter_bytes = 64, .seed = 5};
        struct mark mark = {.name = {1, 2}, .content = 3, .ticket = 1};
        struct import_seen *seen;

        (void)state;
        assert_ok(import_seen_create(&seen, &config));
        assert_ok(import_seen_defer(seen, &mark, NULL));
        assert_err(ERR_UNAVAILABLE, import_seen_settle(seen, refuse, NULL, NULL));
        import_seen_destroy(&seen);
}

static enum err accept(void *context, uint64_t ticket, enum seen_verdict verdict)
{
        (void)context;
        (void)ticket;
        (void)verdict;
        return OK;
}

static enum err use_it(void *context)
{
        const struct import_seen_config config = {.filter_bytes = 64, .seed = 6};
        struct mark mark = {.name = {1, 2}, .content = 3};
        enum seen_verdict verdict;
        struct import_seen *seen;
        enum err rc = import_seen_create(&seen, &config);

        (void)context;
        if (rc == OK)
                rc = import_seen_note(seen, &mark, &verdict, NULL);
        mark.ticket = 1;
        if (rc == OK)
                rc = import_seen_defer(seen, &mark, NULL);
        if (rc == OK)
                rc = import_seen_settle(seen, accept, NULL, NULL);
        import_seen_destroy(&seen);
        return rc;
}

static void failed_allocations_are_errors(void **state)
{
        (void)state;
        each_allocation_fails(use_it, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tiny_filters_are_wrong_and_verdicts_right),
                cmocka_unit_test(a_filter_of_its_size_is_seldom_wrong),
                cmocka_unit_test(a_long_input_given_twice_is_all_the_same),
                cmocka_unit_test(one_row_many_times_takes_no_more_memory),
                cmocka_unit_test(a_name_is_table_student_and_id),
                cmocka_unit_test(names_are_told_apart_by_each_part),
                cmocka_unit_test(content_is_all_but_the_student),
                cmocka_unit_test(what_the_visitor_returns_ends_it),
                cmocka_unit_test(failed_allocations_are_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
