/* Problem: no policy is the best of all for every load, and what is best changes by the hour. Shadows say what each
 * would have missed; when is that a reason to change?
 *
 * Idea: compare what was missed lately, where "lately" is long enough for policies to differ by more than chance: some
 * twelve times as many look-ups of the sample as a cache of this size has keys of it, and at least two thousand. The
 * policy in force stays unless another missed fewer by 1/128 of all look-ups: changing costs something (the new one
 * begins with the entries of the old one, not with those that it would have kept), and two that are nearly even would
 * take turns.
 *
 * Why not a shorter memory: it follows each gust, and pays for the change each time. Why not a longer one: a cache that
 * began with the wrong policy would stay with it. Between 8 and 32 times the keys it makes little difference on the
 * traces that tests/traces replays.
 *
 * Cost: an addition for each policy that missed; the rest once in 32 look-ups. */
#include "cache/policy_auto.h"

enum {
        JUDGE_EVERY = 32,     /* look-ups */
        MEMORY_LEAST = 2048,  /* look-ups after which what was seen counts for 1/e */
        MEMORY_PER_KEY = 12,  /* and more of them where the cache is larger */
        WORTH_CHANGING = 128, /* for one in so many look-ups */
};

static void take_in_pending(struct policy_auto *a, uint64_t keys)
{
        double memory = MEMORY_LEAST + MEMORY_PER_KEY * (double)keys;
        double kept = memory / (memory + JUDGE_EVERY);

        a->seen = a->seen * kept + a->pending;
        for (unsigned p = 0; p < WHATIF_POLICIES; p++) {
                a->misses[p] = a->misses[p] * kept + a->pending_misses[p];
                a->pending_misses[p] = 0;
        }
        a->pending = 0;
}

static void choose(struct policy_auto *a)
{
        unsigned best = 0;

        for (unsigned p = 1; p < WHATIF_POLICIES; p++)
                if (a->misses[p] < a->misses[best])
                        best = p;
        if (a->misses[a->choice] - a->misses[best] > a->seen / WORTH_CHANGING)
                a->choice = best;
}

void policy_auto_note(struct policy_auto *a, uint32_t missed, uint64_t keys)
{
        for (; missed != 0; missed &= missed - 1)
                a->pending_misses[__builtin_ctz(missed)]++;
        if (++a->pending < JUDGE_EVERY)
                return;
        take_in_pending(a, keys);
        choose(a);
}
