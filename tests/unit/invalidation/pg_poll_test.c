/* Results are built with libpq's own functions, as if a server had sent them. */
#include "invalidation/pg_poll.h"

#include "database/tag.h"
#include "invalidation/stamp.h"
#include "tests/lib/test.h"

enum { SEED = 5 };

static struct pg_poll poll;

static int make(void **state)
{
        (void)state;
        pg_poll_init(&poll, SEED);
        return 0;
}

static int unmake(void **state)
{
        (void)state;
        pg_poll_deinit(&poll);
        return 0;
}

static PGresult *result_of(int columns, const char *const *names)
{
        PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
        PGresAttDesc attributes[8];

        assert_non_null(result);
        for (int i = 0; i < columns; i++)
                attributes[i] = (PGresAttDesc){.name = (char *)(uintptr_t)names[i], .typlen = -1};
        assert_true(PQsetResultAttrs(result, columns, attributes));
        return result;
}

/* NULL is SQL's NULL. */
static void add_row(PGresult *result, const char *const *values)
{
        const int row = PQntuples(result);

        for (int i = 0; i < PQnfields(result); i++)
                assert_true(PQsetvalue(
                        result, row, i, (char *)(uintptr_t)values[i], values[i] == NULL ? -1 : (int)strlen(values[i])));
}

/* Gives the step with this label the result, and frees it. */
static enum err take(const char *label, PGresult *result)
{
        enum err rc = ERR_INTERNAL;

        for (uint32_t i = 0; i < poll.step_count; i++) {
                if (strcmp(poll.steps[i].statement->label, label) == 0)
                        rc = pg_poll_take(&poll, i, result);
        }
        PQclear(result);
        return rc;
}

static enum err take_head(const char *const values[7])
{
        static const char *const names[] = {
                "is_primary", "snapshot", "epoch", "floor", "synchronous", "version", "definitions"};
        PGresult *result = result_of(7, names);

        add_row(result, values);
        return take("poll head", result);
}

static void a_poll_asks_in_one_transaction_and_beats_only_when_told(void **state)
{
        static const char *const plain[] = {"poll begin", "poll head", "poll state", "poll commit"};
        static const char *const full[] = {"poll begin", "poll durable", "poll head", "poll touches", "poll state",
                "poll heartbeat", "poll commit"};

        (void)state;
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_int_equal(poll.step_count, 4);
        for (unsigned i = 0; i < 4; i++)
                assert_string_equal(poll.steps[i].statement->label, plain[i]);
        pg_poll_ask(&poll, "1:1:", PG_POLL_TOUCHES_MAX, "node");
        assert_int_equal(poll.step_count, 7);
        for (unsigned i = 0; i < 7; i++)
                assert_string_equal(poll.steps[i].statement->label, full[i]);
        assert_string_equal(poll.steps[3].values[0], "1:1:");
        assert_string_equal(poll.steps[3].values[1], "200001");
        assert_string_equal(poll.steps[5].values[0], "node");
        assert_false(pg_poll_is_whole(&poll));
}

static void the_head_says_who_answers_and_in_which_history(void **state)
{
        static const char *const values[] = {"t", "10:12:10,11", "77", "5:5:", "f", "1", "abc"};

        (void)state;
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_ok(take_head(values));
        assert_true(poll.reply.is_primary && !poll.reply.synchronous);
        assert_true(poll.reply.epoch == 77 && poll.reply.version == 1);
        assert_true(
                poll.reply.snapshot.xmin == 10 && poll.reply.snapshot.xmax == 12 && poll.reply.snapshot.running == 2);
        assert_string_equal((const char *)buf_slice(&poll.reply.snapshot_text).data, "10:12:10,11");
        assert_string_equal((const char *)buf_slice(&poll.reply.floor).data, "5:5:");
        assert_string_equal((const char *)buf_slice(&poll.reply.definitions).data, "abc");
}

static void a_standby_and_a_primary_without_epoch_say_so(void **state)
{
        static const char *const standby[] = {"f", "10:10:", NULL, NULL, "f", "1", NULL};

        (void)state;
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_ok(take_head(standby));
        assert_false(poll.reply.is_primary);
        assert_true(poll.reply.epoch == EPOCH_NONE);
        assert_string_equal((const char *)buf_slice(&poll.reply.floor).data, "");
}

static void a_long_list_of_open_transactions_is_kept_in_full_as_text(void **state)
{
        char text[4096] = "100:5000:100";
        const char *const values[] = {"t", text, "1", NULL, "t", "1", NULL};
        size_t at = strlen(text);

        (void)state;
        for (unsigned i = 1; i < 500; i++)
                at += (size_t)snprintf(text + at, sizeof(text) - at, ",%u", 100 + i);
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_ok(take_head(values));
        assert_true(poll.reply.snapshot.xmin == 100 && poll.reply.snapshot.xmax == 100); /* cut: less is claimed */
        assert_string_equal((const char *)buf_slice(&poll.reply.snapshot_text).data, text);
}

static void a_head_that_is_not_understood_is_refused(void **state)
{
        static const char *const bad[][7] = {
                {NULL, "1:1:", "1", NULL, "f", "1", NULL},
                {"yes", "1:1:", "1", NULL, "f", "1", NULL},
                {"t", NULL, "1", NULL, "f", "1", NULL},
                {"t", "", "1", NULL, "f", "1", NULL},
                {"t", "1:x:", "1", NULL, "f", "1", NULL},
                {"t", "1:1:", "-1", NULL, "f", "1", NULL},
                {"t", "1:1:", "0", NULL, "f", "1", NULL},
                {"t", "1:1:", "many", NULL, "f", "1", NULL},
                {"t", "1:1:", "1", NULL, NULL, "1", NULL},
                {"t", "1:1:", "1", NULL, "f", "one", NULL},
        };
        static const char *const column[] = {"is_primary"};

        (void)state;
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
                assert_err(ERR_CORRUPT, take_head(bad[i]));
        }
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_err(ERR_CORRUPT, take("poll head", result_of(1, column)));
}

static void touches_are_hashed_as_tags_are(void **state)
{
        static const char *const column[] = {"vc_touched"};
        const struct tag tag = {.kind = TAG_STUDENT, .id = slice_str("42")};
        PGresult *result = result_of(1, column);
        uint8_t bytes[TAG_BINARY_MAX];
        const size_t length = tag_encode(&tag, bytes);

        (void)state;
        pg_poll_ask(&poll, "1:1:", PG_POLL_TOUCHES_MAX, NULL);
        assert_true(PQsetvalue(result, 0, 0, (char *)bytes, (int)length));
        assert_ok(take("poll touches", result));
        assert_int_equal(poll.reply.touched.count, 1);
        assert_true(poll.reply.touched.hashes[0] == tag_hash(&tag, SEED));
}

static void too_many_touches_are_all(void **state)
{
        static const char *const column[] = {"vc_touched"};
        static const char *const value[] = {"x"};
        const struct tag all = {.kind = TAG_ALL};
        PGresult *result = result_of(1, column);

        (void)state;
        for (int i = 0; i < 4; i++)
                add_row(result, value);
        pg_poll_ask(&poll, "1:1:", 3, NULL);
        assert_string_equal(poll.touched_values[1], "4");
        assert_ok(take("poll touches", result));
        assert_int_equal(poll.reply.touched.count, 1);
        assert_true(poll.reply.touched.hashes[0] == tag_hash(&all, SEED));
}

static void as_many_as_are_taken_in_are_not_all(void **state)
{
        static const char *const column[] = {"vc_touched"};
        static const char *const value[] = {"x"};
        PGresult *result = result_of(1, column);

        (void)state;
        for (int i = 0; i < 3; i++)
                add_row(result, value);
        pg_poll_ask(&poll, "1:1:", 3, NULL);
        assert_ok(take("poll touches", result));
        assert_int_equal(poll.reply.touched.count, 3);
        assert_true(poll.reply.touched.hashes[2] == hash64(slice_str("x"), SEED));
}

static PGresult *states(void)
{
        static const char *const names[] = {"table_name", "relation", "problem", "changed"};

        return result_of(4, names);
}

static void tables_that_are_not_in_order_or_have_changed_are_withheld(void **state)
{
        static const char *const missing[] = {"allergies", "public.allergies", "a trigger is missing", "t"};
        static const char *const changed[] = {"visits", "public.visits", NULL, "t"};
        const struct tag allergies = {.kind = TAG_TABLE, .table = slice_str("allergies")};
        const struct tag visits = {.kind = TAG_TABLE, .table = slice_str("visits")};
        PGresult *result = states();

        (void)state;
        add_row(result, missing);
        add_row(result, changed);
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_ok(take("poll state", result));
        assert_int_equal(poll.reply.withheld.count, 2);
        assert_true(poll.reply.withheld.hashes[0] == tag_hash(&allergies, SEED));
        assert_true(poll.reply.withheld.hashes[1] == tag_hash(&visits, SEED));
        assert_true(poll.reply.sign_anew);
        assert_int_equal(poll.reply.trouble_count, 1);
        assert_string_equal(poll.reply.troubles[0].relation, "public.allergies");
        assert_string_equal(poll.reply.troubles[0].problem, "a trigger is missing");
}

static void more_troubles_than_are_shown_are_counted_and_withheld(void **state)
{
        static const char *const missing[] = {"allergies", "public.allergies", "a trigger is missing", "t"};
        PGresult *result = states();

        (void)state;
        for (unsigned i = 0; i < TRUTH_TROUBLES_MAX + 3; i++)
                add_row(result, missing);
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_ok(take("poll state", result));
        assert_int_equal(poll.reply.trouble_count, TRUTH_TROUBLES_MAX + 3);
        assert_int_equal(poll.reply.withheld.count, TRUTH_TROUBLES_MAX + 3);
        assert_false(poll.reply.sign_anew);
}

static void a_state_without_a_table_is_refused(void **state)
{
        static const char *const nameless[] = {NULL, "public.allergies", "a trigger is missing", "t"};
        PGresult *result = states();

        (void)state;
        add_row(result, nameless);
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_err(ERR_CORRUPT, take("poll state", result));
}

static void a_poll_is_whole_when_every_step_has_succeeded(void **state)
{
        static const char *const head[] = {"t", "1:1:", "1", NULL, "f", "1", NULL};

        (void)state;
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        assert_ok(take("poll begin", PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK)));
        assert_ok(take_head(head));
        assert_ok(take("poll state", states()));
        assert_false(pg_poll_is_whole(&poll));
        /* what COMMIT says in a transaction that has failed: "ROLLBACK", and here nothing */
        assert_err(ERR_UNAVAILABLE, take("poll commit", PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK)));
        assert_err(ERR_UNAVAILABLE, take("poll commit", PQmakeEmptyPGresult(NULL, PGRES_PIPELINE_ABORTED)));
        assert_err(ERR_UNAVAILABLE, take("poll commit", PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR)));
        assert_false(pg_poll_is_whole(&poll));
}

static enum err take_all(void *context)
{
        static const char *const missing[] = {"allergies", "public.allergies", "a trigger is missing", "t"};
        static const char *const head[] = {"t", "1:1:", "1", NULL, "f", "1", NULL};
        PGresult *result = states();
        enum err rc;

        (void)context;
        add_row(result, missing);
        pg_poll_ask(&poll, NULL, PG_POLL_TOUCHES_MAX, NULL);
        rc = take_head(head);
        if (rc != OK) {
                PQclear(result);
                return rc;
        }
        return take("poll state", result);
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(take_all, NULL);
}

#define WITH_POLL(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_POLL(a_poll_asks_in_one_transaction_and_beats_only_when_told),
                WITH_POLL(the_head_says_who_answers_and_in_which_history),
                WITH_POLL(a_standby_and_a_primary_without_epoch_say_so),
                WITH_POLL(a_long_list_of_open_transactions_is_kept_in_full_as_text),
                WITH_POLL(a_head_that_is_not_understood_is_refused),
                WITH_POLL(touches_are_hashed_as_tags_are),
                WITH_POLL(too_many_touches_are_all),
                WITH_POLL(as_many_as_are_taken_in_are_not_all),
                WITH_POLL(tables_that_are_not_in_order_or_have_changed_are_withheld),
                WITH_POLL(more_troubles_than_are_shown_are_counted_and_withheld),
                WITH_POLL(a_state_without_a_table_is_refused),
                WITH_POLL(a_poll_is_whole_when_every_step_has_succeeded),
                WITH_POLL(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
