/* The head of a student's records of one table: the entry whose key has no record part, and so stands before them.
 *
 *      position of the newest commit that changed them (8) | place by activity (8) | place by severity (2)
 *
 * Records are never there without their head. A head stays when its records are erased (its position is what an
 * IF-stamp is compared with) and goes when the student is. It lies beside the records on purpose: whoever changes a
 * record writes the head's page anyway. */
#ifndef DATABASE_LMDB_HEAD_H
#define DATABASE_LMDB_HEAD_H

#include "database/lmdb_index.h"

enum { LMDB_HEAD_SIZE = 8 + LMDB_ACTIVITY_RANK + LMDB_SEVERITY_RANK };

struct lmdb_head {
        struct position position;
        struct lmdb_ranks ranks;
};

/* Pure; any thread. */
void lmdb_head_encode(const struct lmdb_head *head, uint8_t out[LMDB_HEAD_SIZE]);

/* False: these bytes are none. Pure; any thread. */
bool lmdb_head_decode(struct slice stored, struct lmdb_head *out) MUST_CHECK;

#endif
