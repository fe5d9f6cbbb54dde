/* A record as it is stored: a small head, the record itself as a msgpack map, the resource that it came from.
 *
 *      format (1) | flags (1) | schema number (4) | version: position of the commit that wrote it (8)
 *      [ student's length (2) | student ]                                            flag LMDB_RECORD_STUDENT
 *      [ coding (1) | stored length (4) | whole length (4) | hash (8) ]              flag LMDB_RECORD_ORIGINAL
 *      | msgpack map | original, as it is stored (database/original.h)
 *
 * The student's id stands here only when the key has but its hash; the record's id is the map's member "id". Integers
 * are big-endian. All calls are pure; any thread. */
#ifndef DATABASE_LMDB_RECORD_H
#define DATABASE_LMDB_RECORD_H

#include "base/assert.h"
#include "database/original.h"
#include "database/snapshot.h"

enum { LMDB_RECORD_FORMAT = 2, LMDB_RECORD_STUDENT = 1, LMDB_RECORD_ORIGINAL = 2 };

struct lmdb_record {
        uint32_t schema;
        struct position version;
        struct slice student; /* the full id when the key holds its hash, else empty */
        struct slice map;
        struct original original; /* of no bytes: there is none */
};

/* Bytes that `record` takes when stored. */
size_t lmdb_record_size(const struct lmdb_record *record);

/* Writes it into `out` of lmdb_record_size() bytes. */
void lmdb_record_encode(const struct lmdb_record *record, uint8_t *out);

/* Reads the head; the slices borrow from `stored`. False: not of this format, or damaged. Map and original are not
 * looked into. */
bool lmdb_record_decode(struct slice stored, struct lmdb_record *out) MUST_CHECK;

/* Big-endian 64-bit integers in stored values. */
void lmdb_put_u64(uint8_t out[8], uint64_t n);
bool lmdb_get_u64(struct slice stored, uint64_t *out) MUST_CHECK;

#endif
