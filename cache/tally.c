/* Problem: the sample is of keys, not of look-ups. Whether it has the one key that a tenth of all look-ups are for is
 * chance, and the share of hits among the sampled look-ups is off by points because of that one key.
 *
 * Idea (SHARDS-adj of the paper): misses are spread over many keys, hits pile up on few. So only misses are taken from
 * the sample; the look-ups that they are a share of are all look-ups, which are counted, times the sampling rate. What
 * the sample has too few of are look-ups of keys that any cache has, and it is as if they had been counted as hits. The
 * same with bytes.
 *
 * How far off is it still? The sample is split in 16 by the keys' hashes: sixteen samples that know nothing of each
 * other. The spread of their misses gives the error of their sum; with all keys sampled there is none. */
#include "cache/tally.h"

#include <math.h>

void tally_missed_too(struct tally *tally, unsigned group, uint32_t missed, uint32_t bytes)
{
        for (; missed != 0; missed &= missed - 1) {
                struct tally_cache *cache = &tally->caches[__builtin_ctz(missed)];

                cache->misses[group] += 1;
                cache->byte_misses += bytes;
        }
}

void tally_lookup(struct tally *tally, unsigned group, uint32_t missed, uint32_t bytes)
{
        tally->seen += 1;
        tally_missed_too(tally, group, missed, bytes);
}

void tally_missed_bytes(struct tally *tally, uint32_t bytes)
{
        for (unsigned i = 0; i < IMAGINED_CACHES; i++)
                tally->caches[i].byte_misses += bytes;
}

void tally_expect(struct tally *tally, uint64_t lookups, uint64_t bytes, double rate)
{
        tally->expected += (double)lookups * rate;
        tally->expected_bytes += (double)bytes * rate;
}

void tally_fade(struct tally *tally, double factor)
{
        tally->expected *= factor;
        tally->expected_bytes *= factor;
        tally->seen *= factor;
        for (unsigned i = 0; i < IMAGINED_CACHES; i++) {
                struct tally_cache *cache = &tally->caches[i];

                for (unsigned g = 0; g < TALLY_GROUPS; g++)
                        cache->misses[g] *= factor;
                cache->byte_misses *= factor;
        }
}

static double sum_of(const double misses[TALLY_GROUPS])
{
        double sum = 0;

        for (unsigned g = 0; g < TALLY_GROUPS; g++)
                sum += misses[g];
        return sum;
}

/* Two standard errors of the sum of the groups, of which there could have been 1 / rate times as many. */
static double error_of(const double misses[TALLY_GROUPS], double rate)
{
        double mean = sum_of(misses) / TALLY_GROUPS;
        double squares = 0;

        for (unsigned g = 0; g < TALLY_GROUPS; g++)
                squares += (misses[g] - mean) * (misses[g] - mean);
        return 2 * sqrt(squares * TALLY_GROUPS / (TALLY_GROUPS - 1) * (1 - rate));
}

static double share_of_hits(double misses, double all)
{
        return all <= misses ? 0 : 1 - misses / all;
}

struct whatif_figure tally_figure(const struct tally *tally, unsigned number, double rate)
{
        const struct tally_cache *cache = &tally->caches[number];

        if (tally->expected <= 0)
                return (struct whatif_figure){.hit_rate = 0};
        return (struct whatif_figure){
                .hit_rate = share_of_hits(sum_of(cache->misses), tally->expected),
                .byte_hit_rate = share_of_hits(cache->byte_misses, tally->expected_bytes),
                .error = error_of(cache->misses, rate) / tally->expected,
        };
}
