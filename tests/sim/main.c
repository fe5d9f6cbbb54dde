/* freshness_sim: runs seeded schedules over the freshness core, and over the core with one rule left out. */
#include "base/hash.h"
#include "tests/sim/schedule.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
        uint64_t schedules;
        uint64_t seed;
        enum mutant mutant;
        bool all_mutants;
        bool replay;
};

static const struct {
        const char *name;
        const char *sentence;
} rules[] = {
        [MUTANT_NONE] = {"NONE", "all rules hold"},
#define MUTANT_RULE(name, sentence) [MUTANT_##name] = {#name, sentence},
#include "database/mutants.def"
#undef MUTANT_RULE
};

static void print_usage(FILE *to)
{
        (void)fprintf(to,
                "usage: freshness_sim [--schedules N] [--seed S] [--mutant NAME]   run N schedules (default 1000000)\n"
                "       freshness_sim --mutants [--schedules N] [--seed S]         N for each rule left out\n"
                "       freshness_sim --replay SEED [--mutant NAME]                one schedule, every event printed\n"
                "exit: 0 as promised (or every mutant killed), 1 not, 2 usage\n");
}

static bool find_mutant(const char *name, enum mutant *out)
{
        for (unsigned i = 0; i < MUTANT_OF_SERVER_; i++) {
                if (strcmp(rules[i].name, name) == 0) {
                        *out = (enum mutant)i;
                        return true;
                }
        }
        (void)fprintf(stderr, "freshness_sim: no mutant '%s'; there are:\n", name);
        for (unsigned i = 1; i < MUTANT_OF_SERVER_; i++)
                (void)fprintf(stderr, "  %-24s %s\n", rules[i].name, rules[i].sentence);
        return false;
}

static bool parse_number(const char *text, uint64_t *out)
{
        char *end;

        *out = strtoull(text, &end, 0);
        if (*text == '\0' || *end != '\0')
                (void)fprintf(stderr, "freshness_sim: '%s' is not a number\n", text);
        return *text != '\0' && *end == '\0';
}

static bool parse_options(int argc, char **argv, struct options *o)
{
        static const struct option known[] = {
                {"schedules", required_argument, NULL, 'n'},
                {"seed", required_argument, NULL, 's'},
                {"mutant", required_argument, NULL, 'm'},
                {"mutants", no_argument, NULL, 'M'},
                {"replay", required_argument, NULL, 'r'},
                {NULL, 0, NULL, 0},
        };
        bool good = true;
        int c;

        while (good && (c = getopt_long(argc, argv, "", known, NULL)) != -1) {
                switch (c) {
                case 'n': good = parse_number(optarg, &o->schedules); break;
                case 's': good = parse_number(optarg, &o->seed); break;
                case 'm': good = find_mutant(optarg, &o->mutant); break;
                case 'M': o->all_mutants = true; break;
                case 'r':
                        o->replay = true;
                        good = parse_number(optarg, &o->seed);
                        break;
                default: good = false; break;
                }
        }
        return good && optind == argc;
}

/* The seed of the i-th schedule; what --replay takes. */
static uint64_t seed_of(const struct options *o, uint64_t i)
{
        uint64_t state = o->seed * UINT64_C(0x100000001b3) + i;

        return random_next(&state);
}

/* Runs up to o->schedules of them with the mutant; the number of the first that breaks the promise, or
 * o->schedules. */
static uint64_t run(const struct options *o, enum mutant mutant, struct totals *totals, const char **violation)
{
        schedule_leave_out(mutant);
        for (uint64_t i = 0; i < o->schedules; i++) {
                *violation = schedule_run(seed_of(o, i), false, totals);
                if (*violation != NULL)
                        return i;
        }
        return o->schedules;
}

static double seconds_now(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_one(const struct options *o)
{
        struct totals totals = {0};
        const char *violation = NULL;
        const double began = seconds_now();
        const uint64_t done = run(o, o->mutant, &totals, &violation);

        printf("seed %" PRIu64 ", %s\n", o->seed, rules[o->mutant].sentence);
        printf("%" PRIu64 " schedules, %" PRIu64 " steps, %" PRIu64 " replies (%" PRIu64
               " of them by a checked copy), %" PRIu64 " refused, %" PRIu64 " histories, %.1f s\n",
                done, totals.steps, totals.direct + totals.cached, totals.cached, totals.refused, totals.epochs,
                seconds_now() - began);
        if (violation == NULL) {
                printf("the promise held in all of them\n");
                return 0;
        }
        printf("schedule %" PRIu64 " broke the promise: %s\n", done, violation);
        printf("see it: freshness_sim --replay 0x%" PRIx64 " --mutant %s\n", seed_of(o, done), rules[o->mutant].name);
        return 1;
}

static int run_mutants(const struct options *o)
{
        const unsigned total = MUTANT_OF_SERVER_ - 1;
        unsigned killed = 0;

        for (unsigned i = 1; i < MUTANT_OF_SERVER_; i++) {
                struct totals totals = {0};
                const char *violation = NULL;
                const uint64_t done = run(o, (enum mutant)i, &totals, &violation);

                killed += violation != NULL;
                if (violation != NULL)
                        printf("killed    %-24s by schedule %7" PRIu64 " (--replay 0x%" PRIx64 "): %s\n", rules[i].name,
                                done, seed_of(o, done), violation);
                else
                        printf("SURVIVED  %-24s %" PRIu64 " schedules: %s\n", rules[i].name, done, rules[i].sentence);
        }
        printf("seed %" PRIu64 ": killed %u / %u\n", o->seed, killed, total);
        return killed == total ? 0 : 1;
}

int main(int argc, char **argv)
{
        struct options o = {.schedules = 1000000, .seed = 1};
        struct totals totals = {0};

        if (!parse_options(argc, argv, &o)) {
                print_usage(stderr);
                return 2;
        }
        if (o.all_mutants)
                return run_mutants(&o);
        if (!o.replay)
                return run_one(&o);
        schedule_leave_out(o.mutant);
        return schedule_run(o.seed, true, &totals) == NULL ? 0 : 1;
}
