/* What results mean for the reads: database/pg_value.c, database/pg_meta.c. */
#include "database/pg_value.h"

#include "tests/lib/pg_result.h"
#include "tests/lib/types.h"
#include "tests/lib/values.h"

#define TYPES                                                                                                          \
        "tables:\n"                                                                                                    \
        "  students: {postgres: {relations: [{name: a.students, student: id}]}}\n"                                     \
        "  allergies: {schema: 1, fields: {kind: text}, postgres: {relations: [{name: a.allergies, student: s}]}}\n"   \
        "types:\n"                                                                                                     \
        "  student: {shape: one, table: students, postgres: {fetch: \"SELECT $1\"}}\n"                                 \
        "  allergies: {shape: list, table: allergies, postgres: {fetch: \"SELECT 2, $1\"}}\n"                          \
        "  nuts: {shape: list, table: allergies, where: {kind: nut}, postgres: {fetch: \"SELECT 3, $1\"}}\n"           \
        "  summary:\n"                                                                                                 \
        "    shape: composite\n"                                                                                       \
        "    parts: {student: {type: student}, some: {type: allergies, limit: 1, where: {kind: nut}},\n"               \
        "            all: {type: allergies}}\n"

struct state {
        struct record_types *types;
        struct pg_sql sql;
        _Atomic uint8_t states[RECORD_TYPES_MAX];
        struct pg_plan_in in;
        struct source_read read;
        struct list list;
        struct pg_plan plan;
        struct pg_meta meta;
};

static const struct pg_server SERVER = {.name = "test", .dsn = ""};

static int set_up(void **out)
{
        struct state *s = test_calloc(1, sizeof(*s));

        s->types = types_from(TYPES);
        assert_ok(pg_sql_init(&s->sql, s->types, &SERVER));
        s->in = (struct pg_plan_in){.sql = &s->sql, .types = s->types, .states = s->states};
        s->meta = (struct pg_meta){.epoch = 7, .snapshot = {.xmin = 5, .xmax = 5}, .micros = 1000000};
        buf_init(&s->read.value, 0);
        *out = s;
        return 0;
}

static int tear_down(void **in)
{
        struct state *s = *in;

        pg_plan_deinit(&s->plan);
        buf_deinit(&s->read.value);
        pg_sql_deinit(&s->sql);
        record_types_destroy(&s->types);
        test_free(s);
        return 0;
}

/* Plans the read of a key. */
static void ask(struct state *s, const char *key)
{
        list_init(&s->list);
        assert_ok(record_key_parse(s->types, slice_str(key), &s->read.type, &s->read.id, NULL));
        list_push_back(&s->list, &s->read.link);
        assert_ok(pg_plan_init(&s->plan, &s->in, &s->list));
}

static struct pg_query *query_of(struct state *s, const char *type)
{
        const struct pg_ask *ask =
                pg_plan_ask(&s->plan.items[0], type == NULL ? NULL : record_types_find(s->types, slice_str(type)));

        assert_non_null(ask);
        return ask->query;
}

/* The query's result: `student` and a field; rows of two cells each. `type` NULL: existence. */
static void bring(struct state *s, const char *type, const char *field, const char *const *cells, int rows)
{
        const struct result_column columns[] = {{"student", PG_TYPE_TEXT},
                {field, strcmp(field, "valid_until") == 0 ? PG_TYPE_TIMESTAMPTZ : PG_TYPE_TEXT}};
        struct pg_query *query = query_of(s, type);
        const struct pg_rows_in in = {
                .subject = type == NULL ? NULL : "student", .ids = query->ids, .id_count = query->id_count};
        PGresult *result = result_of(columns, 2, cells, rows);

        query->status = pg_rows_take(&query->rows, &in, result);
        assert_ok(query->status);
        PQclear(result);
}

static void fail_query(struct state *s, const char *type, const char *sqlstate)
{
        struct pg_query *query = query_of(s, type);

        query->status = ERR_UNAVAILABLE;
        (void)snprintf(query->sqlstate, sizeof(query->sqlstate), "%s", sqlstate);
}

static enum pg_verdict verdict(struct state *s)
{
        return pg_value_answer(&s->plan, &s->plan.items[0], &s->meta);
}

static void answered(struct state *s, const char *json)
{
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_ok(s->read.status);
        assert_true(s->read.found);
        assert_value_is(buf_slice(&s->read.value), json);
}

#define CELLS(...) ((const char *const[]){__VA_ARGS__})

static void records_are_put_together(void **in)
{
        struct state *s = *in;

        ask(s, "summary:1");
        bring(s, "student", "name", CELLS("1", "Ann"), 1);
        bring(s, "allergies", "kind", CELLS("1", "dust", "1", "nut", "1", "nut"), 3);
        answered(s, "{\"student\":{\"name\":\"Ann\"},\"some\":[{\"kind\":\"nut\"}],"
                    "\"all\":[{\"kind\":\"dust\"},{\"kind\":\"nut\"},{\"kind\":\"nut\"}]}");
        assert_int_equal(s->read.epoch, 7);
        assert_int_equal(s->read.snapshot.xmax, 5);
        assert_int_equal(s->read.lives.ns, 0);
        assert_false(s->read.from_replica);
}

static void a_type_s_own_condition_holds(void **in)
{
        struct state *s = *in;

        ask(s, "nuts:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        bring(s, "nuts", "kind", CELLS("1", "dust", "1", "nut"), 2);
        answered(s, "[{\"kind\":\"nut\"}]");
}

static void nothing_recorded_is_not_nobody(void **in)
{
        struct state *s = *in;

        ask(s, "allergies:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        bring(s, "allergies", "kind", NULL, 0);
        answered(s, "[]");
        pg_plan_deinit(&s->plan);
        ask(s, "allergies:1");
        bring(s, NULL, "x", NULL, 0);
        bring(s, "allergies", "kind", NULL, 0);
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_ok(s->read.status);
        assert_false(s->read.found);
        assert_int_equal(buf_len(&s->read.value), 0);
        assert_int_equal(s->read.epoch, 7);
}

static void a_failed_part_is_an_error_and_nothing_is_kept(void **in)
{
        struct state *s = *in;

        ask(s, "summary:1");
        bring(s, "student", "name", CELLS("1", "Ann"), 1);
        fail_query(s, "allergies", "57014");
        answered(s, "{\"student\":{\"name\":\"Ann\"},\"some\":{\"error\":{\"code\":\"UNAVAILABLE\"}},"
                    "\"all\":{\"error\":{\"code\":\"UNAVAILABLE\"}}}");
        assert_int_equal(s->read.epoch, 0);
}

static void a_damaged_record_is_not_left_out(void **in)
{
        const struct result_column columns[] = {{"student", PG_TYPE_TEXT}, {"n", PG_TYPE_INT4}};
        struct state *s = *in;
        struct pg_query *query;
        PGresult *result = result_of(columns, 2, CELLS("1", "x"), 1);
        struct pg_rows_in rows = {.subject = "student"};

        ask(s, "allergies:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        query = query_of(s, "allergies");
        rows.ids = query->ids;
        rows.id_count = query->id_count;
        query->status = pg_rows_take(&query->rows, &rows, result);
        assert_ok(query->status);
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_err(ERR_CORRUPT, s->read.status);
        assert_false(s->read.found);
        PQclear(result);
}

static void without_existence_nothing_is_known(void **in)
{
        struct state *s = *in;

        ask(s, "summary:1");
        fail_query(s, "student", "57014");
        bring(s, "allergies", "kind", CELLS("1", "nut"), 1);
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_err(ERR_UNAVAILABLE, s->read.status);
        assert_false(s->read.found);
        assert_int_equal(buf_len(&s->read.value), 0);
}

static void a_record_that_is_not_there_does_not_say_that_nobody_is(void **in)
{
        struct state *s = *in;

        ask(s, "summary:1");
        bring(s, "student", "name", NULL, 0);
        bring(s, "allergies", "kind", CELLS("1", "nut"), 1);
        assert_int_equal(verdict(s), PG_ASK_EXISTENCE);
        pg_plan_deinit(&s->plan);
        s->in.existence = true;
        ask(s, "summary:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        bring(s, "student", "name", NULL, 0);
        bring(s, "allergies", "kind", CELLS("1", "nut"), 1);
        answered(s, "{\"student\":null,\"some\":[{\"kind\":\"nut\"}],\"all\":[{\"kind\":\"nut\"}]}");
        pg_plan_deinit(&s->plan);
        ask(s, "summary:1");
        bring(s, NULL, "x", NULL, 0);
        bring(s, "student", "name", NULL, 0);
        bring(s, "allergies", "kind", NULL, 0);
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_ok(s->read.status);
        assert_false(s->read.found);
}

static void odd_ids_are_asked_for_alone(void **in)
{
        struct state *s = *in;

        ask(s, "allergies:01");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        bring(s, "allergies", "kind", NULL, 0);
        assert_int_equal(verdict(s), PG_ALONE);
        pg_plan_deinit(&s->plan);
        s->in.alone = true;
        ask(s, "allergies:01");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        bring(s, "allergies", "kind", NULL, 0);
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_err(ERR_BADKEY, s->read.status);
        assert_string_equal(s->read.message.text, "the id is not in canonical form; it would be allergies:1");
}

static void impossible_ids_are_refused(void **in)
{
        struct state *s = *in;

        ask(s, "allergies:x");
        fail_query(s, NULL, "22P02");
        fail_query(s, "allergies", "22P02");
        assert_int_equal(verdict(s), PG_ALONE);
        pg_plan_deinit(&s->plan);
        s->in.alone = true;
        ask(s, "allergies:x");
        fail_query(s, NULL, "22P02");
        fail_query(s, "allergies", "22P02");
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_err(ERR_BADKEY, s->read.status);
}

static void what_no_column_can_hold_is_nobody_and_not_kept(void **in)
{
        struct state *s = *in;

        s->in.alone = true;
        ask(s, "allergies:9");
        fail_query(s, NULL, "22003");
        fail_query(s, "allergies", "22003");
        query_of(s, "allergies")->unbound = true; /* the existence query failed by itself */
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_err(ERR_BADKEY, s->read.status);
        query_of(s, NULL)->unbound = true;
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_ok(s->read.status);
        assert_false(s->read.found);
        assert_int_equal(s->read.epoch, 0);
}

static void bad_data_is_not_a_bad_id(void **in)
{
        struct state *s = *in;

        ask(s, "allergies:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        fail_query(s, "allergies", "22012");
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_err(ERR_UNAVAILABLE, s->read.status);
}

static void what_a_replica_cannot_say_the_primary_is_asked(void **in)
{
        struct state *s = *in;

        s->in.replica = true;
        ask(s, "allergies:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        fail_query(s, "allergies", "40001");
        assert_int_equal(verdict(s), PG_ASK_PRIMARY);
        bring(s, "allergies", "kind", NULL, 0);
        answered(s, "[]");
        assert_true(s->read.from_replica);
}

static void what_is_not_covered_is_not_kept(void **in)
{
        struct state *s = *in;

        ask(s, "summary:1");
        bring(s, "student", "name", CELLS("1", "Ann"), 1);
        bring(s, "allergies", "kind", NULL, 0);
        s->states[1] = PG_STATE_UNCACHEABLE; /* a part's type */
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_int_equal(s->read.epoch, 0);
        s->states[1] = PG_STATE_BINARY;
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_int_equal(s->read.epoch, 7);
}

static void lives(struct state *s, const char *until, int64_t expected)
{
        ask(s, "allergies:1");
        bring(s, NULL, "x", CELLS("1", NULL), 1);
        bring(s, "allergies", "valid_until", CELLS("1", until), until == NULL ? 0 : 1);
        assert_int_equal(verdict(s), PG_ANSWERED);
        assert_int_equal(s->read.lives.ns, expected);
        pg_plan_deinit(&s->plan);
}

static void valid_until_is_counted_from_the_transaction(void **in)
{
        struct state *s = *in;

        lives(s, "1970-01-01 00:00:03+00", 2 * NANOS_PER_S);
        lives(s, "1970-01-01 00:00:01+00", 1);
        lives(s, "1969-01-01 00:00:01+00", 1);
        lives(s, "infinity", 0);
        lives(s, NULL, 1); /* no row says when there will be one */
}

/* ---- the transaction's own row ---- */

static void meta_is(const char *const *cells, bool replica, bool sound, const struct pg_meta *expected)
{
        static const struct result_column columns[] = {
                {"snapshot", PG_TYPE_TEXT}, {"epoch", PG_TYPE_INT8}, {"micros", PG_TYPE_INT8}};
        PGresult *result = result_of(columns, 3, cells, 1);
        struct pg_meta meta;

        assert_int_equal(pg_meta_read(result, replica, &meta), sound);
        if (sound) {
                assert_int_equal(meta.epoch, expected->epoch);
                assert_int_equal(meta.micros, expected->micros);
                assert_int_equal(meta.snapshot.xmax, expected->snapshot.xmax);
                assert_int_equal(meta.snapshot.running, expected->snapshot.running);
        }
        PQclear(result);
}

static void the_transaction_says_what_it_sees(void **in)
{
        const struct pg_meta primary = {.epoch = 7, .micros = 9, .snapshot = {.xmin = 5, .xmax = 8, .running = 2}};
        const struct pg_meta none = {.epoch = 0, .micros = 9, .snapshot = {.xmin = 5, .xmax = 8, .running = 2}};
        const struct pg_meta replica = {.epoch = 7, .micros = 9, .snapshot = {.xmin = 5, .xmax = 5}};

        (void)in;
        meta_is(CELLS("5:8:5,6", "7", "9"), false, true, &primary);
        meta_is(CELLS("5:8:5,6", NULL, "9"), false, true, &none);
        meta_is(CELLS("5:8:", "7", "9"), true, true, &replica);
        meta_is(CELLS("5:8", "7", "9"), false, false, NULL);
        meta_is(CELLS("5:8:", "-7", "9"), false, false, NULL);
        meta_is(CELLS("5:8:", "7", NULL), false, false, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(records_are_put_together),
                TEST(a_type_s_own_condition_holds),
                TEST(nothing_recorded_is_not_nobody),
                TEST(a_failed_part_is_an_error_and_nothing_is_kept),
                TEST(a_damaged_record_is_not_left_out),
                TEST(without_existence_nothing_is_known),
                TEST(a_record_that_is_not_there_does_not_say_that_nobody_is),
                TEST(odd_ids_are_asked_for_alone),
                TEST(impossible_ids_are_refused),
                TEST(what_no_column_can_hold_is_nobody_and_not_kept),
                TEST(bad_data_is_not_a_bad_id),
                TEST(what_a_replica_cannot_say_the_primary_is_asked),
                TEST(what_is_not_covered_is_not_kept),
                TEST(valid_until_is_counted_from_the_transaction),
                TEST(the_transaction_says_what_it_sees),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
