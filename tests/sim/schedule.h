/* One schedule: a world drawn from a seed, and some dozens of steps chosen by the same seed, until the promise is
 * broken or the steps are done. The same seed gives the same schedule, for ever. */
#ifndef TESTS_SIM_SCHEDULE_H
#define TESTS_SIM_SCHEDULE_H

#include "tests/sim/node.h"

/* Runs it; NULL, or what was broken. Adds to *totals. With `tracing` every event is printed. */
const char *schedule_run(uint64_t seed, bool tracing, struct totals *totals);

/* The rule that is left out from now on; MUTANT_NONE: none. */
void schedule_leave_out(enum mutant mutant);

#endif
