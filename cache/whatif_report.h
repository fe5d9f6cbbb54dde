/* What STATS WHATIF tells: the hit rates of caches that are only imagined (cache/whatif.h). */
#ifndef CACHE_WHATIF_REPORT_H
#define CACHE_WHATIF_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum {
        WHATIF_SIZES = 5,
        WHATIF_PRESENT = 2,  /* the size that is the present one */
        WHATIF_POLICIES = 4, /* LRU is number 0 */
};

/* What was looked up since the start. */
struct whatif_totals {
        uint64_t lookups;
        uint64_t bytes; /* of values: of those that were there, and those that were put then */
};

/* Shares of 1. */
struct whatif_figure {
        double hit_rate;
        double byte_hit_rate;
        double error; /* the true hit rate is most likely (95 %) within so much of hit_rate */
};

struct whatif_report {
        bool enough;    /* false: not enough was looked up yet for the figures to mean anything */
        double rate;    /* the share of all keys that is in the sample */
        uint32_t keys;  /* in the sample now */
        double lookups; /* of sampled keys; older ones count for less */
        double reach;   /* what the keys seen lately would take, in present sizes: more memory than that is of no use */
        struct {
                double scale; /* in present sizes */
                struct whatif_figure figure;
        } sizes[WHATIF_SIZES]; /* of LRU */
        struct {
                const char *name;
                struct whatif_figure figure;
        } policies[WHATIF_POLICIES]; /* at the present size */
};

#endif
