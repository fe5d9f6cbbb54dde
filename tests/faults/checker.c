/* How the test stays cheap: `over` is the latest moment at which a step can still have been true, the minimum of what
 * is known of all later steps. It only grows from step to step, as does `begin`. So the steps that can have been true
 * between two moments are a run of neighbours, whose first is found by bisection; mostly it has one or two members. */
#include "tests/faults/checker.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct known_step {
        struct step step;
        int64_t true_by; /* by when it had come true: acknowledged, or shown by a reply; NEVER: nobody knows */
        int64_t over;    /* the latest moment at which it can have been true */
};

struct known_key {
        struct known_step *steps;
        size_t count, room;
        bool ready; /* `over` is right */
};

struct span {
        int64_t from, to;
};

struct checker {
        struct known_key *keys;
        uint32_t key_count;
        int64_t deadline;
        struct span *pauses;
        size_t pause_count;
};

bool checker_create(struct checker **out, uint32_t keys, int64_t deadline)
{
        struct checker *c = vc_calloc(1, sizeof *c);

        *out = NULL;
        if (c == NULL)
                return false;
        *c = (struct checker){.keys = vc_calloc(keys, sizeof *c->keys), .key_count = keys, .deadline = deadline};
        if (c->keys == NULL) {
                vc_free(c);
                return false;
        }
        *out = c;
        return true;
}

void checker_destroy(struct checker **checker)
{
        struct checker *c = *checker;

        if (c == NULL)
                return;
        for (uint32_t i = 0; i < c->key_count; i++)
                vc_free(c->keys[i].steps);
        vc_free(c->keys);
        vc_free(c->pauses);
        vc_free(c);
        *checker = NULL;
}

/* ---- the history ---- */

static bool follows(const struct known_key *key, const struct step *step)
{
        if ((step->outcome == COMMITTED) != (step->acked != NEVER) || step->acked < step->begin)
                return false;
        return key->count == 0 || key->steps[key->count - 1].step.begin <= step->begin;
}

bool checker_step(struct checker *c, uint32_t key, const struct step *step)
{
        struct known_key *k;

        if (key >= c->key_count || !follows(&c->keys[key], step))
                return false;
        k = &c->keys[key];
        if (k->count == k->room) {
                size_t room = k->room == 0 ? 16 : k->room * 2;
                struct known_step *larger = vc_realloc(k->steps, room * sizeof *larger);

                if (larger == NULL)
                        return false;
                k->steps = larger;
                k->room = room;
        }
        k->steps[k->count++] = (struct known_step){.step = *step, .true_by = step->acked};
        k->ready = false;
        return true;
}

bool checker_pause(struct checker *c, int64_t from, int64_t to)
{
        struct span *larger = vc_realloc(c->pauses, (c->pause_count + 1) * sizeof *larger);

        if (larger == NULL)
                return false;
        c->pauses = larger;
        c->pauses[c->pause_count++] = (struct span){from, to};
        return true;
}

/* ---- what a reply shows ---- */

static bool shows(const struct step *step, struct shown shown)
{
        const struct shown *held = &step->shown;

        switch (shown.kind) {
        case SHOWN_NOBODY: return held->kind == SHOWN_NOBODY;
        case SHOWN_NONE: return held->kind == SHOWN_NONE && (shown.version == 0 || shown.version == held->version);
        case SHOWN_ROWS: return held->kind == SHOWN_ROWS && shown.version == held->version;
        case SHOWN_KNOWN: return held->kind != SHOWN_NOBODY;
        case SHOWN_MIXED: break;
        }
        return false;
}

/* The only step that the reply can be of; NULL when there is none or there are several. */
static struct known_step *only_step(struct known_key *key, struct shown shown)
{
        struct known_step *found = NULL;

        if (shown.kind == SHOWN_NOBODY || shown.version == 0)
                return NULL;
        for (size_t i = key->count; i-- > 0;) {
                if (!shows(&key->steps[i].step, shown))
                        continue;
                if (found != NULL)
                        return NULL;
                found = &key->steps[i];
        }
        return found;
}

void checker_witness(struct checker *c, const struct read *read)
{
        struct known_key *key;
        struct known_step *step;

        if (read->reply != REPLY_VALUE || read->key >= c->key_count)
                return;
        key = &c->keys[read->key];
        step = only_step(key, read->shown);
        if (step == NULL || step->step.outcome == ABORTED || read->returned < step->step.begin)
                return;
        if (read->returned < step->true_by) {
                step->true_by = read->returned;
                key->ready = false;
        }
}

static void make_ready(struct known_key *key)
{
        int64_t over = NEVER;

        for (size_t i = key->count; i-- > 0;) {
                struct known_step *s = &key->steps[i];

                s->over = over;
                if (s->step.outcome != ABORTED && s->true_by < over)
                        over = s->true_by;
        }
        key->ready = true;
}

/* ---- the judgement ---- */

static size_t first_not_over(const struct known_key *key, int64_t at)
{
        size_t low = 0, high = key->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (key->steps[middle].over < at)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* Where the write of the token stands, and past the last step that still has it: a reversal takes it away. */
static bool token_steps(const struct known_key *key, uint64_t after, size_t *from, size_t *to)
{
        *from = 0;
        *to = key->count;
        if (after == 0)
                return true;
        while (*from < key->count && (key->steps[*from].step.shown.version != after || key->steps[*from].step.reverted))
                (*from)++;
        for (size_t i = *from + 1; i < key->count; i++) {
                if (key->steps[i].step.reverted) {
                        *to = i;
                        break;
                }
        }
        return *from < key->count;
}

static bool possible(const struct known_key *key, const struct read *read, size_t from, size_t to)
{
        for (size_t i = from; i < to && key->steps[i].step.begin <= read->returned; i++) {
                if (key->steps[i].step.outcome != ABORTED && shows(&key->steps[i].step, read->shown))
                        return true;
        }
        return false;
}

/* Why no step fits, for people: the nearest explanation. */
static enum violation reason(const struct known_key *key, const struct read *read, size_t first)
{
        enum violation found = PHANTOM;

        for (size_t i = 0; i < key->count; i++) {
                const struct step *step = &key->steps[i].step;

                if (!shows(step, read->shown))
                        continue;
                if (step->outcome == ABORTED)
                        found = TAKEN_BACK;
                else if (step->begin > read->returned)
                        found = found == PHANTOM ? FUTURE : found;
                else
                        found = read->shown.kind == SHOWN_NOBODY || read->shown.kind == SHOWN_NONE ? FALSE_NONE : STALE;
                for (size_t j = i + 1; found == STALE && j < key->count && j <= first; j++) {
                        if (key->steps[j].step.reverted)
                                found = TAKEN_BACK;
                }
        }
        return found;
}

static enum violation judge_value(struct known_key *key, const struct read *read)
{
        size_t first, token_from, token_to;

        if (read->shown.kind == SHOWN_MIXED)
                return MIXED;
        if (!key->ready)
                make_ready(key);
        first = first_not_over(key, read->invoked - read->bound);
        if (!possible(key, read, first, key->count))
                return reason(key, read, first);
        if (!token_steps(key, read->after, &token_from, &token_to) ||
                !possible(key, read, first > token_from ? first : token_from, token_to))
                return BEFORE_TOKEN;
        return FITTING;
}

static int64_t paused(const struct checker *c, const struct read *read)
{
        int64_t total = 0;

        for (size_t i = 0; i < c->pause_count; i++) {
                int64_t from = read->invoked > c->pauses[i].from ? read->invoked : c->pauses[i].from;
                int64_t to = read->returned < c->pauses[i].to ? read->returned : c->pauses[i].to;

                total += to > from ? to - from : 0;
        }
        return total;
}

enum violation checker_judge(struct checker *c, const struct read *read)
{
        enum violation found = FITTING;

        if (read->key >= c->key_count)
                return PHANTOM;
        if (read->reply == REPLY_LOST)
                return FITTING;
        if (read->reply == REPLY_OTHER || (read->reply == REPLY_EPOCH && read->after == 0))
                return UNEXPECTED;
        if (read->reply == REPLY_VALUE)
                found = judge_value(&c->keys[read->key], read);
        if (found == FITTING && read->returned - read->invoked - paused(c, read) > c->deadline)
                return LATE;
        return found;
}

/* ---- words ---- */

const char *violation_name(enum violation violation)
{
        static const char *const names[VIOLATION_COUNT] = {
                [FITTING] = "fitting",
                [STALE] = "stale",
                [FALSE_NONE] = "false-none",
                [PHANTOM] = "phantom",
                [TAKEN_BACK] = "taken-back",
                [FUTURE] = "future",
                [BEFORE_TOKEN] = "before-token",
                [MIXED] = "mixed",
                [LATE] = "late",
                [UNEXPECTED] = "unexpected",
        };

        return names[violation];
}

/* The "rule of three": with no event in n trials, (1 - 3/n)^n is about e^-3 = 5 %. */
void checker_summary(uint64_t count, uint64_t reads, char *text, size_t size)
{
        if (count > 0)
                (void)snprintf(text, size, "%" PRIu64 " in %" PRIu64 " reads", count, reads);
        else if (reads == 0)
                (void)snprintf(text, size, "0 in 0 reads: nothing is known");
        else
                (void)snprintf(text, size, "0 in %" PRIu64 " reads, 95 %% upper limit 3/%" PRIu64 " = %.1e", reads,
                        reads, 3.0 / (double)reads);
}
