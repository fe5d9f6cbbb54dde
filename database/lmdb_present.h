/* The present form of a stored record: one that an older schema wrote is read as its table has it now. */
#ifndef DATABASE_LMDB_PRESENT_H
#define DATABASE_LMDB_PRESENT_H

#include "base/buf.h"
#include "database/lmdb_record.h"
#include "database/record_type.h"

/* The record's map: its own, or, when it is of an older schema than the table's, what record_upgrade() makes of it, in
 * *made, which is emptied first. ERR_CORRUPT, errors of buf_append. Any thread, own *made. */
enum err lmdb_present_map(const struct record_table *table, const struct lmdb_record *record, struct buf *made,
        struct slice *map) MUST_CHECK;

/* Whether the record, in its present form, meets the condition. Errors as lmdb_present_map. Any thread. */
enum err lmdb_present_matches(const struct record_table *table, const struct lmdb_record *record,
        const struct record_condition *condition, bool *out) MUST_CHECK;

#endif
