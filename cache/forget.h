/* Erasure from memory. */
#ifndef CACHE_FORGET_H
#define CACHE_FORGET_H

#include "base/slice.h"

struct l1;
struct record_types;

/* Takes the student's entries of all types and formats out of L1 (NULL: there is none), void ones too. Their bytes are
 * overwritten now, or when the last reader that is copying from one lets go of it. To be called after the commit that
 * erased the student: reads that were under way then leave no entry behind (cache/store.c). Any thread. */
void forget_student(struct l1 *l1, const struct record_types *types, struct slice tenant, struct slice id);

#endif
