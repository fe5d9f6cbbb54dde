/* Counts replies in a stream of bytes that comes in pieces of any size. The bodies of values are passed over, so that
 * the client costs little beside the server that it measures. */
#ifndef BENCH_REPLIES_H
#define BENCH_REPLIES_H

#include "bench/requests.h"

enum { REPLIES_LINE_MAX = 128 };

struct replies {
        enum protocol protocol;
        uint32_t value_size; /* what values should have; 0: any */
        /* so far */
        uint64_t done;   /* whole replies */
        uint64_t values; /* values in them, of the size that they should have */
        uint64_t errors; /* errors, and values of another size */
        bool damaged;    /* the bytes are of no such protocol: nothing is counted any more */
        /* where in a reply it stands */
        uint64_t items;  /* still to come of the reply that has begun; 0: none has */
        uint64_t skip;   /* bytes of a body still to come, its end of line included */
        size_t line_len; /* of a line that is not complete yet */
        char line[REPLIES_LINE_MAX];
};

/* At the start of a stream. */
void replies_init(struct replies *r, enum protocol protocol, uint32_t value_size);

/* Takes in the next bytes; returns how many replies ended in them. */
uint64_t replies_feed(struct replies *r, struct slice bytes);

#endif
