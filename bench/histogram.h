/* Latencies, counted in buckets whose width grows with the value, after Gil Tene's HdrHistogram (hdrhistogram.org): 128
 * buckets to each doubling, so that a quantile is never more than 1/128 too high and never too low, from a nanosecond
 * to centuries, in constant memory and without a sort. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 7, HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS };

struct histogram {
        uint64_t counts[HISTOGRAM_BUCKETS];
        uint64_t total;
        uint64_t max;
};

/* Empty again. One owner, as all calls here. */
void histogram_reset(struct histogram *h);

/* Counts one value. Cannot fail. */
void histogram_add(struct histogram *h, uint64_t value);

/* The value that `part` (0..1) of all values do not exceed: the upper end of its bucket, at most the greatest value
 * there was. 0 when nothing was counted. Pure. */
uint64_t histogram_quantile(const struct histogram *h, double part);

#endif
