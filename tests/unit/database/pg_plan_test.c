/* What is asked for which reads: database/pg_plan.c, and database/pg_unmodified.c's question. */
#include "database/pg_plan.h"

#include "database/pg_unmodified.h"
#include "tests/lib/pg_result.h"
#include "tests/lib/types.h"

enum { READS_MAX = 128 };

#define TYPES                                                                                                          \
        "subjects: {school: }\n"                                                                                       \
        "tables:\n"                                                                                                    \
        "  students: {postgres: {relations: [{name: a.students, student: id}]}}\n"                                     \
        "  allergies: {postgres: {relations: [{name: a.allergies, student: s}]}}\n"                                    \
        "types:\n"                                                                                                     \
        "  student: {shape: one, table: students, postgres: {fetch: \"STUDENT $1\"}}\n"                                \
        "  allergies: {shape: list, table: allergies, postgres: {fetch: \"ALLERGIES $1\"}}\n"                          \
        "  notes: {shape: list, table: allergies, postgres: {fetch: \"NOTES $1\"}}\n"                                  \
        "  summary: {shape: composite, parts: {s: {type: student}, a: {type: allergies}, b: {type: allergies}}}\n"     \
        "  lists: {shape: composite, parts: {a: {type: allergies}, n: {type: notes}}}\n"                               \
        "  board: {shape: list, table: allergies, key: \"board:{school}\", postgres: {fetch: \"BOARD $1\"}}\n"

struct state {
        struct record_types *types;
        struct pg_sql sql;
        _Atomic uint8_t states[RECORD_TYPES_MAX];
        struct pg_plan_in in;
        struct source_read reads[READS_MAX];
        struct list list;
        struct pg_plan plan;
        char steps[4096];
};

static const struct pg_server SERVER = {.name = "test", .dsn = ""};

static int set_up(void **out)
{
        struct state *s = test_calloc(1, sizeof(*s));

        s->types = types_from(TYPES);
        assert_ok(pg_sql_init(&s->sql, s->types, &SERVER));
        s->in = (struct pg_plan_in){.sql = &s->sql, .types = s->types, .states = s->states};
        list_init(&s->list);
        *out = s;
        return 0;
}

static int tear_down(void **in)
{
        struct state *s = *in;

        pg_sql_deinit(&s->sql);
        record_types_destroy(&s->types);
        test_free(s);
        return 0;
}

static void add(struct state *s, const char *key)
{
        uint32_t at = 0;

        LIST_FOREACH (link, &s->list)
                at++;
        assert_ok(record_key_parse(s->types, slice_str(key), &s->reads[at].type, &s->reads[at].id, NULL));
        list_push_back(&s->list, &s->reads[at].link);
}

/* The steps: a statement's first word, its first value, and '|' for a Sync. */
static const char *steps_of(struct state *s)
{
        s->steps[0] = '\0';
        for (uint32_t i = 0; i < s->plan.step_count; i++) {
                const struct pg_step *step = &s->plan.steps[i];
                const size_t used = strlen(s->steps);
                const char *sql = step->statement->sql;

                if (step->statement == &s->sql.here)
                        sql = "HERE";
                else if (step->statement == &s->sql.steady)
                        sql = "STEADY";
                else if (step->statement->label == s->sql.exists[0].label)
                        sql = "EXISTS";
                (void)snprintf(s->steps + used, sizeof(s->steps) - used, "%s%.*s%s%s%s", i == 0 ? "" : " ",
                        (int)strcspn(sql, " "), sql, step->value_count == 0 ? "" : " ",
                        step->value_count == 0 ? "" : step->values[0], step->sync_after ? " |" : "");
        }
        return s->steps;
}

static void planned(struct state *s, const char *expected)
{
        assert_ok(pg_plan_init(&s->plan, &s->in, &s->list));
        assert_string_equal(steps_of(s), expected);
        pg_plan_deinit(&s->plan);
}

static void a_record_of_the_student_tells_that_there_is_one(void **in)
{
        struct state *s = *in;

        add(s, "student:1");
        planned(s, "BEGIN HERE STUDENT {\"1\"} STEADY {\"a.students\"} COMMIT");
}

static void a_list_needs_the_question_whether_there_is_one(void **in)
{
        struct state *s = *in;

        add(s, "allergies:1");
        planned(s, "BEGIN HERE EXISTS {\"1\"} ALLERGIES {\"1\"} "
                   "STEADY {\"a.allergies\",\"a.students\"} COMMIT");
}

static void what_has_failed_is_kept_apart(void **in)
{
        struct state *s = *in;

        s->in.apart = true;
        add(s, "allergies:1");
        planned(s, "BEGIN HERE SAVEPOINT EXISTS {\"1\"} | ROLLBACK ALLERGIES {\"1\"} | ROLLBACK "
                   "STEADY {\"a.allergies\",\"a.students\"} COMMIT");
}

static void one_query_that_has_failed_leaves_the_transaction_whole(void **in)
{
        struct state *s = *in;

        s->in.apart = true;
        add(s, "student:1");
        planned(s, "BEGIN HERE SAVEPOINT STUDENT {\"1\"} | ROLLBACK STEADY {\"a.students\"} COMMIT");
}

static void reads_of_a_type_are_one_query(void **in)
{
        struct state *s = *in;

        add(s, "allergies:2");
        add(s, "allergies:1");
        add(s, "allergies:2");
        planned(s, "BEGIN HERE EXISTS {\"1\",\"2\"} ALLERGIES {\"1\",\"2\"} "
                   "STEADY {\"a.allergies\",\"a.students\"} COMMIT");
}

static void parts_and_types_share_their_queries(void **in)
{
        struct state *s = *in;

        add(s, "summary:1");
        add(s, "student:2");
        add(s, "allergies:3");
        planned(s, "BEGIN HERE STUDENT {\"1\",\"2\"} ALLERGIES {\"1\",\"3\"} "
                   "EXISTS {\"3\"} STEADY {\"a.allergies\",\"a.students\"} COMMIT");
}

static void a_hundred_reads_are_as_many_queries_as_one(void **in)
{
        static char keys[100][24];
        struct state *s = *in;
        uint32_t one;

        add(s, "lists:0");
        assert_ok(pg_plan_init(&s->plan, &s->in, &s->list));
        one = s->plan.step_count;
        pg_plan_deinit(&s->plan);
        for (int i = 1; i < 100; i++) {
                (void)snprintf(keys[i], sizeof(keys[i]), "lists:%d", i);
                add(s, keys[i]);
        }
        assert_ok(pg_plan_init(&s->plan, &s->in, &s->list));
        assert_int_equal(s->plan.query_count, 3);
        assert_int_equal(s->plan.step_count, one);
        pg_plan_deinit(&s->plan);
}

static void subjects_without_a_rule_are_not_asked_for(void **in)
{
        struct state *s = *in;

        add(s, "board:9");
        planned(s, "BEGIN HERE BOARD {\"9\"} STEADY {\"a.allergies\"} COMMIT");
}

static void alone_each_read_has_its_own_and_is_asked_for(void **in)
{
        struct state *s = *in;

        s->in.alone = true;
        add(s, "student:1");
        add(s, "student:2");
        planned(s,
                "BEGIN HERE SAVEPOINT EXISTS {\"1\"} | ROLLBACK STUDENT {\"1\"} | ROLLBACK EXISTS {\"2\"} | ROLLBACK "
                "STUDENT {\"2\"} | ROLLBACK STEADY {\"a.students\"} COMMIT");
}

static void a_heartbeat_is_a_transaction_of_its_own(void **in)
{
        struct state *s = *in;

        s->in.node = "node";
        s->in.session = true;
        add(s, "student:1");
        planned(s, "BEGIN SELECT HERE STUDENT {\"1\"} STEADY {\"a.students\"} COMMIT | SELECT node");
}

static void what_is_known_of_the_schema_decides_the_statements(void **in)
{
        struct state *s = *in;

        add(s, "student:1");
        s->in.replica = true;
        s->states[0] = PG_STATE_BINARY;
        assert_ok(pg_plan_init(&s->plan, &s->in, &s->list));
        assert_ptr_equal(s->plan.steps[1].statement, &s->sql.here_replica);
        assert_ptr_equal(s->plan.steps[2].statement, &s->sql.fetch_binary[0]);
        pg_plan_deinit(&s->plan);
        s->in.bare = true;
        s->states[0] = 0;
        assert_ok(pg_plan_init(&s->plan, &s->in, &s->list));
        assert_ptr_equal(s->plan.steps[1].statement, &s->sql.here_bare);
        assert_ptr_equal(s->plan.steps[2].statement, &s->sql.fetch_text[0]);
        pg_plan_deinit(&s->plan);
}

/* ---- not modified ---- */

static void known_copies_are_asked_for_by_their_tags(void **in)
{
        static const struct source_known known = {
                .epoch = 7, .snapshot = {.xmin = 10, .xmax = 12, .running = 1, .xip = {10}}};
        struct state *s = *in;
        struct pg_unmodified check;

        add(s, "student:1");
        add(s, "board:9");
        s->reads[0].known = s->reads[1].known = &known;
        assert_ok(pg_unmodified_init(&check, &s->plan, &s->in, &s->list));
        assert_int_equal(s->plan.step_count, 4);
        assert_string_equal(check.values[0], "{1,1,1,1,2,2,2}");
        assert_string_equal(check.values[2], "{\"10:12:10\",\"10:12:10\"}");
        assert_non_null(
                strstr(check.values[1], "{\"\\\\x010000000131000873747564656e7473\",\"")); /* student:1/students */
        pg_unmodified_deinit(&check);
        pg_plan_deinit(&s->plan);
}

static void answered(struct state *s, const struct pg_meta *meta, const char *const *cells, bool expected)
{
        static const struct result_column columns[] = {{"n", PG_TYPE_INT4}, {"unmodified", PG_TYPE_BOOL}};
        static const struct source_known known = {.epoch = 7};
        PGresult *result = result_of(columns, 2, cells, 2);
        struct pg_unmodified check;

        s->reads[0].known = s->reads[1].known = &known;
        assert_ok(pg_unmodified_init(&check, &s->plan, &s->in, &s->list));
        pg_unmodified_take(&check, &s->plan, result);
        assert_int_equal(pg_unmodified_answer(&check, &s->plan.items[1], &s->plan, meta), expected);
        assert_int_equal(s->reads[1].unmodified, expected);
        assert_false(pg_unmodified_answer(&check, &s->plan.items[0], &s->plan, meta));
        pg_unmodified_deinit(&check);
        pg_plan_deinit(&s->plan);
        PQclear(result);
}

static void only_a_sound_answer_of_the_same_epoch_spares_the_read(void **in)
{
        const struct pg_meta same = {.epoch = 7, .snapshot = {.xmin = 3, .xmax = 3}};
        const struct pg_meta other = {.epoch = 8};
        const struct pg_meta none = {.epoch = 0};
        struct state *s = *in;

        add(s, "student:1");
        add(s, "student:2");
        answered(s, &other, (const char *const[]){"1", "f", "2", "t"}, false);
        answered(s, &none, (const char *const[]){"1", "f", "2", "t"}, false);
        answered(s, &same, (const char *const[]){"1", "f", "2", "f"}, false);
        answered(s, &same, (const char *const[]){"0", "t", "3", "t"}, false);
        answered(s, &same, (const char *const[]){"1", NULL, "2", NULL}, false);
        answered(s, &same, (const char *const[]){"1", "f", "2", "t"}, true);
        assert_int_equal(s->reads[1].epoch, 7);
        assert_int_equal(s->reads[1].snapshot.xmax, 3);
}

/* ---- memory ---- */

static enum err plan(void *context)
{
        struct state *s = context;
        enum err rc = pg_plan_init(&s->plan, &s->in, &s->list);

        if (rc == OK)
                pg_plan_deinit(&s->plan);
        return rc;
}

static enum err plan_check(void *context)
{
        struct state *s = context;
        struct pg_unmodified check;
        enum err rc = pg_unmodified_init(&check, &s->plan, &s->in, &s->list);

        if (rc == OK) {
                pg_unmodified_deinit(&check);
                pg_plan_deinit(&s->plan);
        }
        return rc;
}

static void want_of_memory_is_an_error(void **in)
{
        static const struct source_known known = {.epoch = 7};
        struct state *s = *in;

        add(s, "summary:1");
        add(s, "lists:2");
        s->reads[0].known = s->reads[1].known = &known;
        each_allocation_fails(plan, s);
        each_allocation_fails(plan_check, s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_record_of_the_student_tells_that_there_is_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_list_needs_the_question_whether_there_is_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_has_failed_is_kept_apart, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        one_query_that_has_failed_leaves_the_transaction_whole, set_up, tear_down),
                cmocka_unit_test_setup_teardown(reads_of_a_type_are_one_query, set_up, tear_down),
                cmocka_unit_test_setup_teardown(parts_and_types_share_their_queries, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_hundred_reads_are_as_many_queries_as_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(subjects_without_a_rule_are_not_asked_for, set_up, tear_down),
                cmocka_unit_test_setup_teardown(alone_each_read_has_its_own_and_is_asked_for, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_heartbeat_is_a_transaction_of_its_own, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_known_of_the_schema_decides_the_statements, set_up, tear_down),
                cmocka_unit_test_setup_teardown(known_copies_are_asked_for_by_their_tags, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        only_a_sound_answer_of_the_same_epoch_spares_the_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(want_of_memory_is_an_error, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
