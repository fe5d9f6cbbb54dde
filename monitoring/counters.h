/* Counters: declared in counters.def and type_counters.def, kept per thread, summed when read. Adding is a plain add to
 * memory that only this thread writes: no lock, no shared cache line. */
#ifndef MONITORING_COUNTERS_H
#define MONITORING_COUNTERS_H

#include <stdint.h>

enum counter {
#define COUNTER(name, sentence) COUNTER_##name,
#include "monitoring/counters.def"
#undef COUNTER
        COUNTER_COUNT_
};

enum type_counter {
#define TYPE_COUNTER(name, sentence) TYPE_COUNTER_##name,
#include "monitoring/type_counters.def"
#undef TYPE_COUNTER
        TYPE_COUNTER_COUNT_
};

enum { COUNTERS_TYPES_MAX = 64 }; /* the most record types that a configuration can have */

struct counter_row {
        const char *name;
        const char *sentence;
};

/* Adds to this thread's own count. Any thread. Never fails: a thread for which there is no memory shares one block. */
void counter_add(enum counter counter, uint64_t n);

/* As counter_add, for record type number `type` (below COUNTERS_TYPES_MAX). */
void type_counter_add(uint32_t type, enum type_counter counter, uint64_t n);

/* The sum over all threads, those that have ended included. Any thread; takes a short lock. */
uint64_t counter_read(enum counter counter);
uint64_t type_counter_read(uint32_t type, enum type_counter counter);

/* Name and sentence of a row. Any thread; never NULL. */
const struct counter_row *counter_row(enum counter counter);
const struct counter_row *type_counter_row(enum type_counter counter);

#endif
