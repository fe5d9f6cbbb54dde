/* The first format of the store, which is read by upgrades only.
 *
 *      records     tenant | table | student | record
 *                  tenant, student: two bytes of length, then the part; table: one byte of length, then the name
 *      a record    format, 1 (1) | schema number (4) | version (8) | student's length (2) | student | msgpack map
 *
 * Parts over 64 bytes are their hash, as they are today (database/lmdb_key.h), and UUIDs stand as text. Its `versions`
 * and index rows follow from the records; `meta` is as it is today, but for the number of records. */
#ifndef DATABASE_LMDB_FORMAT1_H
#define DATABASE_LMDB_FORMAT1_H

#include "base/assert.h"
#include "database/record_type.h"
#include "database/snapshot.h"

/* What a record of it says; the slices borrow from key and value. */
struct lmdb_format1_record {
        struct slice tenant;
        char table[RECORD_NAME_MAX + 1];
        struct slice student; /* the whole id */
        struct slice id;      /* the whole id */
        uint32_t schema;
        struct position version;
        struct slice map;
};

/* False: they are no record of this format, or damaged. Pure; any thread. */
bool lmdb_format1_read(struct slice key, struct slice value, struct lmdb_format1_record *out) MUST_CHECK;

#endif
