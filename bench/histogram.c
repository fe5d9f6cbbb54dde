#include "bench/histogram.h"

#include <string.h>

enum { SUB = 1 << HISTOGRAM_SUB_BITS };

/* The first SUB values have a bucket each; from there on, the leading SUB_BITS + 1 bits name the bucket. */
static unsigned bucket_of(uint64_t value)
{
        unsigned shift;

        if (value < SUB)
                return (unsigned)value;
        shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
        return shift * SUB + (unsigned)(value >> shift);
}

/* The greatest value of a bucket. */
static uint64_t top_of(unsigned bucket)
{
        unsigned shift;

        if (bucket < SUB)
                return bucket;
        shift = bucket / SUB - 1;
        return ((uint64_t)(bucket - shift * SUB) << shift) + (UINT64_C(1) << shift) - 1;
}

void histogram_reset(struct histogram *h)
{
        memset(h, 0, sizeof(*h));
}

void histogram_add(struct histogram *h, uint64_t value)
{
        h->counts[bucket_of(value)]++;
        h->total++;
        if (value > h->max)
                h->max = value;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
        double wanted = part * (double)h->total;
        uint64_t seen = 0;

        for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
                seen += h->counts[bucket];
                if (seen > 0 && (double)seen >= wanted)
                        return top_of(bucket) < h->max ? top_of(bucket) : h->max;
        }
        return 0;
}
