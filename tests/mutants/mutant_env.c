/* Which rule a vitalcached_mutants leaves out: it is told once, by its environment, before main(). */
#include "database/mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
        [MUTANT_NONE] = "",
#define MUTANT_RULE(name, sentence) [MUTANT_##name] = #name,
#include "database/mutants.def"
#include "database/server_mutants.def"
#undef MUTANT_RULE
        [MUTANT_OF_SERVER_] = "", /* a mark between the two, and no rule */
};

static enum mutant left_out;

__attribute__((constructor)) static void choose(void)
{
        const char *name = getenv("VITALCACHE_MUTANT");

        if (name == NULL || name[0] == '\0')
                return;
        for (unsigned i = 0; i < MUTANT_COUNT_; i++) {
                if (strcmp(names[i], name) == 0)
                        left_out = (enum mutant)i;
        }
        if (left_out == MUTANT_NONE) {
                (void)fprintf(stderr, "vitalcached_mutants: no rule is called '%s'\n", name);
                exit(2);
        }
        (void)fprintf(stderr, "vitalcached_mutants: without %s\n", name);
}

bool mutant_is(enum mutant mutant)
{
        return mutant == left_out;
}

void mutant_pause(void)
{
}
