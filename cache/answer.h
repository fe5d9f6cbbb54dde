/* What a lookup is answered with: from an entry of L1, from a fill that is done, or why not. Every answer but a failure
 * passes the freshness test with the lookup's own `now`, unless its read was sent after that. Private to cache/. */
#ifndef CACHE_ANSWER_H
#define CACHE_ANSWER_H

#include "cache/lookup.h"
#include "cache/tiers_parts.h"

/* Answers from lookup->entry, if that may answer. Else says false and counts why; the entry is kept only if it could
 * serve a reader who allows stale answers, and is released otherwise. The reader's thread. */
bool answer_from_entry(struct tiers *tiers, struct lookup *lookup) MUST_CHECK;

/* Answers from lookup->fill, which is done: with its value, or with its failure. False: it was sent before this lookup
 * was invoked, and what it read cannot be proved fresh for it; another fill has to. The reader's thread. */
bool answer_from_fill(struct tiers *tiers, struct lookup *lookup) MUST_CHECK;

/* It cannot be known now: stale from lookup->entry where that is there and rc is UNAVAILABLE, else the error `rc`
 * (UNAVAILABLE, BUSY). `why` is a literal that ends its message. The reader's thread. */
void answer_failure(struct lookup *lookup, enum err rc, const char *why);

#endif
