/* Mutants: each rule of the freshness protocol can be switched off, one at a time, so that the simulator
 * (tests/sim) proves that it would notice, and the fault campaign with a real server. In every build that is shipped or
 * tested otherwise both macros are nothing; only those two compile these sources again with VC_MUTANTS and answer the
 * two functions below. */
#ifndef DATABASE_MUTANT_H
#define DATABASE_MUTANT_H

#ifdef VC_MUTANTS

#include <stdbool.h>

enum mutant {
        MUTANT_NONE,
#define MUTANT_RULE(name, sentence) MUTANT_##name,
#include "database/mutants.def"
        MUTANT_OF_SERVER_, /* the simulator has those before this one; a build of the server has all */
#include "database/server_mutants.def"
#undef MUTANT_RULE
        MUTANT_COUNT_
};

/* Whether this run leaves the rule out. The simulator's one thread. */
bool mutant_is(enum mutant mutant);

/* A point between two steps of publishing or testing, at which another thread may run: the simulator runs it
 * there. */
void mutant_pause(void);

#define MUTANT(name)   mutant_is(MUTANT_##name)
#define MUTANT_PAUSE() mutant_pause()

#else

#define MUTANT(name)   0
#define MUTANT_PAUSE() ((void)0)

#endif
#endif
