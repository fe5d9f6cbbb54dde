/* Integrity: does everything in the database fit together? */
#ifndef DATABASE_LMDB_CHECK_H
#define DATABASE_LMDB_CHECK_H

#include "database/lmdb_env.h"

struct lmdb_counts {
        uint64_t students;
        uint64_t records; /* the students' own among them */
        uint64_t damaged; /* see below; 0 when not asked for */
};

/* Counts, and with `deep` walks all of it in one read transaction: each record can be read, stands under its own ids,
 * belongs to a recorded student and stands behind a head; each head has the ranks of its records, its index rows, and a
 * position that can be; each index row has its head; who is merged into whom is so from both
 * sides; the list of free pages can be read; the counts of students and of
 * records are right. Whatever does not fit counts as damaged. Errors
 * of LMDB, ERR_CORRUPT when a page cannot be read. Any thread; deep takes about a microsecond per record, and holds up
 * the growth of the map meanwhile. */
enum err lmdb_check(
        struct lmdb_env *env, const struct lmdb_schema *schema, bool deep, struct lmdb_counts *out) MUST_CHECK;

#endif
