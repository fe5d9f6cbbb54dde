/* What came of a run, told as one line of JSON. */
#include "tests/faults/driver.h"

#include <inttypes.h>
#include <stdio.h>

enum { EXAMPLES = 8 };

struct report {
        uint64_t reads, replies[REPLY_LOST + 1], violations[VIOLATION_COUNT], violated;
        int64_t slowest;
        char examples[EXAMPLES][256];
};

static const char *const reply_names[] = {"values", "unavailable", "busy", "epoch", "other", "lost"};
static const char *const shown_names[] = {"nobody", "none", "rows", "known", "mixed"};

static bool add_steps(struct shared *s, const struct writer *writers, struct checker *c)
{
        const struct driver_options *o = s->options;
        const struct step nobody = {.shown = {SHOWN_NOBODY, 0}, .outcome = COMMITTED};

        for (uint32_t key = 0; key <= o->keys + o->missing; key++) {
                if (!checker_step(c, key, &nobody))
                        return false;
        }
        for (unsigned i = 0; i < o->writers; i++) {
                for (size_t n = 0; n < writers[i].step_count; n++) {
                        if (!checker_step(c, writers[i].steps[n].key, &writers[i].steps[n].step))
                                return false;
                }
        }
        return true;
}

/* What an investigator wants to know of a reply that does not fit: the read, and the writes of its key around it. */
static void keep_example(struct report *r, const struct read *read, enum violation why)
{
        (void)snprintf(r->examples[r->violated], sizeof r->examples[0],
                "%s: key %u showed %s %" PRIu64 ", invoked at %" PRId64 " us, returned %" PRId64
                " us later, bound %" PRId64 " ms, after %" PRIu64,
                violation_name(why), read->key, shown_names[read->shown.kind], read->shown.version,
                read->invoked / 1000, (read->returned - read->invoked) / 1000, read->bound / 1000000, read->after);
}

static void judge(struct report *r, struct checker *c, const struct read *read)
{
        enum violation why = checker_judge(c, read);

        r->reads++;
        r->replies[read->reply]++;
        if (read->returned - read->invoked > r->slowest)
                r->slowest = read->returned - read->invoked;
        if (why == FITTING)
                return;
        if (r->violated < EXAMPLES)
                keep_example(r, read, why);
        r->violated++;
        r->violations[why]++;
}

static void print_report(const struct shared *s, const struct report *r)
{
        char summary[160];

        checker_summary(r->violated, r->replies[REPLY_VALUE], summary, sizeof summary);
        printf("{\"summary\": \"%s\", \"reads\": %" PRIu64 ", \"violated\": %" PRIu64 ", \"slowest_ms\": %" PRId64
               ", \"commits\": %" PRIu64 ", \"unknown\": %" PRIu64,
                summary, r->reads, r->violated, r->slowest / 1000000, atomic_load(&s->commits),
                atomic_load(&s->unknowns));
        for (int i = 0; i <= REPLY_LOST; i++)
                printf(", \"%s\": %" PRIu64, reply_names[i], r->replies[i]);
        printf(", \"violations\": {");
        for (int i = 1, told = 0; i < VIOLATION_COUNT; i++) {
                if (r->violations[i] > 0)
                        printf("%s\"%s\": %" PRIu64, told++ > 0 ? ", " : "", violation_name((enum violation)i),
                                r->violations[i]);
        }
        printf("}, \"examples\": [");
        for (uint64_t i = 0; i < r->violated && i < EXAMPLES; i++)
                printf("%s\"%s\"", i > 0 ? ", " : "", r->examples[i]);
        printf("]}\n");
        (void)fflush(stdout);
}

bool driver_report(struct shared *s, struct writer *writers, struct reader *readers, struct checker *c)
{
        const struct driver_options *o = s->options;
        struct report report = {0};

        if (!add_steps(s, writers, c))
                return false;
        for (unsigned i = 0; i < o->readers; i++) {
                for (const struct read_chunk *chunk = readers[i].first; chunk != NULL; chunk = chunk->next) {
                        for (size_t n = 0; n < chunk->count; n++)
                                checker_witness(c, &chunk->reads[n]);
                }
        }
        for (unsigned i = 0; i < o->readers; i++) {
                for (const struct read_chunk *chunk = readers[i].first; chunk != NULL; chunk = chunk->next) {
                        for (size_t n = 0; n < chunk->count; n++)
                                judge(&report, c, &chunk->reads[n]);
                }
        }
        print_report(s, &report);
        return true;
}
