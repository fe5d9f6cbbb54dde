/* The checker is fed good and bad histories by hand, each bad one for one reason; then random ones, whose true moments
 * the test knows and the checker does not: no reply that showed a moment within its window may be rejected, and none
 * that provably did not may pass. */
#include "tests/faults/checker.h"

#include "base/hash.h"
#include "tests/lib/test.h"

#include <string.h>

enum { DEADLINE = 1000, BOUND = 100, RANDOM_HISTORIES = 300, RANDOM_STEPS = 60, RANDOM_READS = 400 };

static struct step rows(uint64_t version, int64_t begin, int64_t acked)
{
        return (struct step){{SHOWN_ROWS, version}, begin, acked, acked == NEVER ? UNKNOWN : COMMITTED, false};
}

static struct step of_kind(enum shown_kind kind, uint64_t version, int64_t begin, int64_t acked)
{
        return (struct step){{kind, version}, begin, acked, COMMITTED, false};
}

static struct step aborted(uint64_t version, int64_t begin)
{
        return (struct step){{SHOWN_ROWS, version}, begin, NEVER, ABORTED, false};
}

static struct step reverted(uint64_t version, int64_t begin, int64_t acked)
{
        return (struct step){{SHOWN_ROWS, version}, begin, acked, COMMITTED, true};
}

static struct read got(enum shown_kind kind, uint64_t version, int64_t invoked, int64_t returned)
{
        return (struct read){.reply = REPLY_VALUE,
                .shown = {kind, version},
                .invoked = invoked,
                .returned = returned,
                .bound = BOUND};
}

static struct read strict(uint64_t version, int64_t invoked, int64_t returned)
{
        struct read read = got(SHOWN_ROWS, version, invoked, returned);

        read.bound = 0;
        return read;
}

static struct read after(uint64_t token, uint64_t version, int64_t invoked)
{
        struct read read = got(SHOWN_ROWS, version, invoked, invoked + 5);

        read.after = token;
        return read;
}

static struct read error(enum reply reply, uint64_t token, int64_t returned)
{
        return (struct read){.reply = reply, .after = token, .invoked = 2000, .returned = returned, .bound = BOUND};
}

struct case_of {
        const char *name;
        struct step steps[6];
        size_t step_count;
        struct read reads[3];
        size_t read_count;
        enum violation last; /* of the last read; those before it fit */
};

#define STEPS(...) .steps = {__VA_ARGS__}, .step_count = sizeof((struct step[]){__VA_ARGS__}) / sizeof(struct step)
#define READS(...) .reads = {__VA_ARGS__}, .read_count = sizeof((struct read[]){__VA_ARGS__}) / sizeof(struct read)

static void run_case(const struct case_of *one)
{
        struct checker *c;

        assert_true(checker_create(&c, 1, DEADLINE));
        for (size_t i = 0; i < one->step_count; i++)
                assert_true(checker_step(c, 0, &one->steps[i]));
        for (size_t i = 0; i < one->read_count; i++)
                checker_witness(c, &one->reads[i]);
        for (size_t i = 0; i < one->read_count; i++) {
                enum violation expected = i + 1 == one->read_count ? one->last : FITTING;
                enum violation found = checker_judge(c, &one->reads[i]);

                if (found != expected)
                        fail_msg("%s: read %zu is %s, not %s", one->name, i, violation_name(found),
                                violation_name(expected));
        }
        checker_destroy(&c);
        assert_null(c);
}

static void run_cases(const struct case_of *cases, size_t count)
{
        for (size_t i = 0; i < count; i++)
                run_case(&cases[i]);
}

/* Versions 1 (from the start), 2 (begun at 1000, acknowledged at 1010). */
#define TWO rows(1, 0, 0), rows(2, 1000, 1010)

static void good_histories_pass(void **state)
{
        const struct case_of cases[] = {
                {"the newest", STEPS(TWO), READS(got(SHOWN_ROWS, 2, 2000, 2001)), FITTING},
                {"a write that was begun may show", STEPS(TWO), READS(got(SHOWN_ROWS, 2, 999, 1000)), FITTING},
                {"a write not acknowledged need not", STEPS(TWO), READS(strict(1, 1010, 1020)), FITTING},
                {"old within the bound", STEPS(TWO), READS(got(SHOWN_ROWS, 1, 1110, 1120)), FITTING},
                {"the record of a student without rows", STEPS(of_kind(SHOWN_NONE, 7, 0, 0)),
                        READS(got(SHOWN_KNOWN, 0, 10, 11)), FITTING},
                {"no rows, version not told", STEPS(of_kind(SHOWN_NONE, 7, 0, 0)), READS(got(SHOWN_NONE, 0, 10, 11)),
                        FITTING},
                {"nobody after a removal", STEPS(rows(1, 0, 0), of_kind(SHOWN_NOBODY, 2, 50, 60)),
                        READS(got(SHOWN_NOBODY, 0, 1000, 1001)), FITTING},
                {"nobody for the second time",
                        STEPS(of_kind(SHOWN_NOBODY, 1, 0, 0), rows(2, 10, 20), of_kind(SHOWN_NOBODY, 3, 30, 40)),
                        READS(got(SHOWN_NOBODY, 0, 1000, 1001)), FITTING},
                {"an unknown outcome shows", STEPS(rows(1, 0, 0), rows(2, 1000, NEVER)), READS(strict(2, 5000, 5001)),
                        FITTING},
                {"an unknown outcome does not", STEPS(rows(1, 0, 0), rows(2, 1000, NEVER)),
                        READS(strict(1, 5000, 5001)), FITTING},
                {"the token's own write", STEPS(TWO), READS(after(2, 2, 1011)), FITTING},
                {"later than the token's", STEPS(TWO, rows(3, 1020, 1030)), READS(after(2, 3, 1040)), FITTING},
                {"what was lost, shortly after", STEPS(TWO, reverted(1, 1500, 1600)),
                        READS(got(SHOWN_ROWS, 2, 1700, 1701)), FITTING},
                {"what is back", STEPS(TWO, reverted(1, 1500, 1600)), READS(strict(1, 1700, 1701)), FITTING},
                {"written again after a loss", STEPS(TWO, reverted(1, 1500, 1600), rows(3, 1700, 1710)),
                        READS(strict(3, 1720, 1721)), FITTING},
                {"errors", STEPS(TWO), READS(error(REPLY_UNAVAILABLE, 0, 2001), error(REPLY_BUSY, 0, 2001)), FITTING},
                {"a broken connection is no reply", STEPS(TWO), READS(error(REPLY_LOST, 0, 999999)), FITTING},
                {"EPOCH to a token", STEPS(TWO), READS(error(REPLY_EPOCH, 2, 2001)), FITTING},
                {"B > 0: back within the bound is not forbidden", STEPS(TWO),
                        READS(got(SHOWN_ROWS, 2, 1000, 1005), got(SHOWN_ROWS, 1, 1050, 1060)), FITTING},
        };

        (void)state;
        run_cases(cases, sizeof cases / sizeof *cases);
}

static void bad_histories_do_not(void **state)
{
        const struct case_of cases[] = {
                {"older than acknowledged before invoke - B", STEPS(TWO), READS(got(SHOWN_ROWS, 1, 1111, 1120)), STALE},
                {"strict: a moment older", STEPS(TWO), READS(strict(1, 1011, 1020)), STALE},
                {"two back", STEPS(TWO, rows(3, 1020, 1021)), READS(got(SHOWN_ROWS, 1, 1130, 1131)), STALE},
                {"never written", STEPS(TWO), READS(got(SHOWN_ROWS, 3, 2000, 2001)), PHANTOM},
                {"of another kind", STEPS(TWO), READS(got(SHOWN_NONE, 2, 2000, 2001)), PHANTOM},
                {"no steps at all", .step_count = 0, READS(got(SHOWN_ROWS, 1, 2000, 2001)), PHANTOM},
                {"aborted", STEPS(TWO, aborted(3, 1500)), READS(got(SHOWN_ROWS, 3, 1600, 1601)), TAKEN_BACK},
                {"lost long ago", STEPS(TWO, reverted(1, 1500, 1600)), READS(got(SHOWN_ROWS, 2, 1701, 1702)),
                        TAKEN_BACK},
                {"the future", STEPS(TWO), READS(got(SHOWN_ROWS, 2, 900, 999)), FUTURE},
                {"nobody, but there is", STEPS(of_kind(SHOWN_NOBODY, 1, 0, 0), rows(2, 10, 20)),
                        READS(got(SHOWN_NOBODY, 0, 121, 122)), FALSE_NONE},
                {"none, but there is", STEPS(of_kind(SHOWN_NONE, 1, 0, 0), rows(2, 10, 20)),
                        READS(got(SHOWN_NONE, 0, 121, 122)), FALSE_NONE},
                {"nobody, and there never was none", STEPS(TWO), READS(got(SHOWN_NOBODY, 0, 2000, 2001)), PHANTOM},
                {"the record of a student removed", STEPS(rows(1, 0, 0), of_kind(SHOWN_NOBODY, 2, 10, 20)),
                        READS(got(SHOWN_KNOWN, 0, 121, 122)), STALE},
                {"rows of a student removed", STEPS(rows(1, 0, 0), of_kind(SHOWN_NOBODY, 2, 10, 20)),
                        READS(got(SHOWN_ROWS, 1, 121, 122)), STALE},
                {"token not honoured within the bound", STEPS(TWO), READS(after(2, 1, 1050)), BEFORE_TOKEN},
                {"token of a write that was lost", STEPS(TWO, reverted(1, 1500, 1600)), READS(after(2, 1, 1700)),
                        BEFORE_TOKEN},
                {"token of nobody's", STEPS(TWO), READS(after(9, 2, 1700)), BEFORE_TOKEN},
                {"strict: back behind what was shown", STEPS(TWO), READS(strict(2, 1000, 1002), strict(1, 1003, 1004)),
                        STALE},
                {"behind what was shown by more than the bound", STEPS(rows(1, 0, 0), rows(2, 1000, 5000)),
                        READS(got(SHOWN_ROWS, 2, 1000, 1002), got(SHOWN_ROWS, 1, 1103, 1104)), STALE},
                {"an unknown outcome that was shown stays", STEPS(rows(1, 0, 0), rows(2, 1000, NEVER)),
                        READS(strict(2, 2000, 2001), strict(1, 2002, 2003)), STALE},
                {"two states in one", STEPS(TWO), READS(got(SHOWN_MIXED, 2, 1005, 1006)), MIXED},
                {"late", STEPS(TWO), READS(got(SHOWN_ROWS, 2, 2000, 3001)), LATE},
                {"a late error", STEPS(TWO), READS(error(REPLY_UNAVAILABLE, 0, 3001)), LATE},
                {"an error without a reason", STEPS(TWO), READS(error(REPLY_OTHER, 0, 2001)), UNEXPECTED},
                {"EPOCH without a token", STEPS(TWO), READS(error(REPLY_EPOCH, 0, 2001)), UNEXPECTED},
        };

        (void)state;
        run_cases(cases, sizeof cases / sizeof *cases);
}

static void time_stopped_is_not_late(void **state)
{
        const struct step first = rows(1, 0, 0);
        struct read read = got(SHOWN_ROWS, 1, 100, 100 + DEADLINE + 300);
        struct checker *c;

        (void)state;
        assert_true(checker_create(&c, 1, DEADLINE));
        assert_true(checker_step(c, 0, &first));
        assert_int_equal(checker_judge(c, &read), LATE);
        assert_true(checker_pause(c, 200, 499));
        assert_int_equal(checker_judge(c, &read), LATE);
        assert_true(checker_pause(c, 50, 101));
        assert_int_equal(checker_judge(c, &read), FITTING);
        checker_destroy(&c);
}

static void impossible_steps_are_refused(void **state)
{
        const struct step good = rows(1, 10, 20), earlier = rows(2, 9, 30), before = rows(2, 30, 29);
        const struct step contradiction = {{SHOWN_ROWS, 2}, 30, 40, UNKNOWN, false};
        struct checker *c;

        (void)state;
        assert_true(checker_create(&c, 1, DEADLINE));
        assert_true(checker_step(c, 0, &good));
        assert_false(checker_step(c, 0, &earlier));
        assert_false(checker_step(c, 0, &before));
        assert_false(checker_step(c, 0, &contradiction));
        assert_false(checker_step(c, 1, &good));
        checker_destroy(&c);
}

static void says_what_it_knows(void **state)
{
        char text[160];

        (void)state;
        checker_summary(0, 1000000, text, sizeof text);
        assert_string_equal(text, "0 in 1000000 reads, 95 % upper limit 3/1000000 = 3.0e-06");
        checker_summary(2, 10, text, sizeof text);
        assert_string_equal(text, "2 in 10 reads");
        checker_summary(0, 0, text, sizeof text);
        assert_string_equal(text, "0 in 0 reads: nothing is known");
}

/* ---- random histories ---- */

struct truth {
        struct step steps[RANDOM_STEPS];
        int64_t came_true[RANDOM_STEPS]; /* NEVER: it did not */
        size_t count;
        int64_t end;
};

static int64_t below(uint64_t *seed, int64_t limit)
{
        return (int64_t)(random_next(seed) % (uint64_t)limit);
}

static void make_truth(struct truth *t, uint64_t *seed)
{
        int64_t now = 0;

        t->count = RANDOM_STEPS;
        for (size_t i = 0; i < t->count; i++) {
                enum outcome outcome = i == 0 || below(seed, 4) > 0 ? COMMITTED : below(seed, 2) ? ABORTED : UNKNOWN;
                int64_t moment = now + below(seed, 20);
                int64_t done = moment + below(seed, 20);

                /* Nobody writes on behind an unknown outcome that may still come: here it came at once, or never. */
                t->came_true[i] = outcome == ABORTED || (outcome == UNKNOWN && below(seed, 2)) ? NEVER : moment;
                t->steps[i] =
                        (struct step){{SHOWN_ROWS, i + 1}, now, outcome == COMMITTED ? done : NEVER, outcome, false};
                if (below(seed, 8) == 0)
                        t->steps[i].shown.kind = below(seed, 2) ? SHOWN_NONE : SHOWN_NOBODY;
                now = done + below(seed, 40);
        }
        t->end = now;
}

/* What was true at `moment`: the index of a step. */
static size_t truth_at(const struct truth *t, int64_t moment)
{
        size_t found = 0;

        for (size_t i = 0; i < t->count; i++) {
                if (t->came_true[i] != NEVER && t->came_true[i] <= moment)
                        found = i;
        }
        return found;
}

/* A reply that shows what was true at a moment of its window. */
static struct read honest(const struct truth *t, uint64_t *seed)
{
        int64_t bound = below(seed, 3) * BOUND / 2;
        int64_t invoked = t->steps[0].acked + bound + below(seed, t->end);
        int64_t returned = invoked + below(seed, 50);
        struct read read = got(SHOWN_ROWS, 0, invoked, returned);

        read.bound = bound;
        read.shown = t->steps[truth_at(t, invoked - bound + below(seed, returned - invoked + bound + 1))].shown;
        if (read.shown.kind == SHOWN_NOBODY)
                read.shown.version = 0;
        return read;
}

/* The same reply made wrong: it shows a step that an acknowledged one had replaced before its window, or that nobody
 * had begun, or that was aborted. False: this history has none for it. */
static bool spoil(const struct truth *t, struct read *read, uint64_t *seed)
{
        for (int tries = 0; tries < 50; tries++) {
                size_t i = (size_t)below(seed, (int64_t)t->count);
                bool wrong = t->steps[i].begin > read->returned || t->steps[i].outcome == ABORTED;

                for (size_t j = i + 1; j < t->count; j++)
                        wrong = wrong || t->steps[j].acked < read->invoked - read->bound;
                if (!wrong || t->steps[i].shown.kind == SHOWN_NOBODY)
                        continue;
                read->shown = t->steps[i].shown;
                return true;
        }
        return false;
}

static void one_random_history(uint64_t *seed, uint64_t *spoilt)
{
        static struct read reads[RANDOM_READS];
        struct truth t;
        struct checker *c;

        make_truth(&t, seed);
        assert_true(checker_create(&c, 1, DEADLINE));
        for (size_t i = 0; i < t.count; i++)
                assert_true(checker_step(c, 0, &t.steps[i]));
        for (size_t i = 0; i < RANDOM_READS; i++) {
                reads[i] = honest(&t, seed);
                checker_witness(c, &reads[i]);
        }
        for (size_t i = 0; i < RANDOM_READS; i++)
                assert_int_equal(checker_judge(c, &reads[i]), FITTING);
        for (size_t i = 0; i < RANDOM_READS; i++) {
                if (!spoil(&t, &reads[i], seed))
                        continue;
                assert_int_not_equal(checker_judge(c, &reads[i]), FITTING);
                ++*spoilt;
        }
        checker_destroy(&c);
}

static void random_histories(void **state)
{
        uint64_t seed = 20261121, spoilt = 0;

        (void)state;
        for (int i = 0; i < RANDOM_HISTORIES; i++)
                one_random_history(&seed, &spoilt);
        assert_in_range(spoilt, RANDOM_HISTORIES * RANDOM_READS / 2, RANDOM_HISTORIES * RANDOM_READS);
}

static enum err history_with_little_memory(void *context)
{
        const struct step first = rows(1, 0, 0);
        struct checker *c;
        bool good;

        (void)context;
        if (!checker_create(&c, 1, DEADLINE))
                return ERR_NOMEM;
        good = checker_step(c, 0, &first) && checker_pause(c, 1, 2);
        checker_destroy(&c);
        return good ? OK : ERR_NOMEM;
}

static void without_memory(void **state)
{
        (void)state;
        each_allocation_fails(history_with_little_memory, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(good_histories_pass),
                cmocka_unit_test(bad_histories_do_not),
                cmocka_unit_test(time_stopped_is_not_late),
                cmocka_unit_test(impossible_steps_are_refused),
                cmocka_unit_test(says_what_it_knows),
                cmocka_unit_test(random_histories),
                cmocka_unit_test(without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
