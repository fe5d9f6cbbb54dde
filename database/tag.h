/* Tags: what an entry depends on and what a commit touches (docs/FRESHNESS.md, section 3.3).
 *
 *      text form (people, INVALIDATE, EXPLAIN)   kind                touched by
 *      student:42/allergies                      TAG_STUDENT_TABLE   every write of that student's rows of that table
 *      student:42                                TAG_STUDENT         INVALIDATE STUDENT
 *      school:9/visits                           TAG_CONTAINER       every write of that table's rows of that school
 *      allergies                                 TAG_TABLE           INVALIDATE TYPE, administration
 *      *                                         TAG_ALL             INVALIDATE ALL
 *
 * The binary form is one kind byte, then each part length-prefixed (two bytes, big-endian): tenant, for a container its
 * subject, id, table. No two tags have the same bytes, whatever is in the ids, and SQL can build the same bytes. Only
 * its hash is ever kept, or nothing at all: the tags of an entry follow from its key (database/type_tags.h). */
#ifndef DATABASE_TAG_H
#define DATABASE_TAG_H

#include "base/buf.h"
#include "base/hash.h"

enum tag_kind { TAG_STUDENT_TABLE = 1, TAG_STUDENT = 2, TAG_TABLE = 3, TAG_ALL = 4, TAG_CONTAINER = 5 };

struct tag {
        enum tag_kind kind;
        struct slice tenant;  /* empty: the default tenant */
        struct slice id;      /* whose: TAG_STUDENT* and TAG_CONTAINER, else empty */
        struct slice table;   /* TAG_STUDENT_TABLE, TAG_TABLE and TAG_CONTAINER, else empty */
        struct slice subject; /* TAG_CONTAINER: what the id is one of, such as school; else empty */
};

enum { TAG_PART_MAX = 512, TAG_BINARY_MAX = 1 + 4 * (2 + TAG_PART_MAX) };

/* The binary form into `out` of TAG_BINARY_MAX bytes; returns its length. Parts are at most TAG_PART_MAX bytes (ours
 * to promise: keys are checked on entry). Any thread; pure. */
size_t tag_encode(const struct tag *tag, uint8_t *out);

/* A tag's hash, made of hashes of its parts: of whom it speaks (tenant and id, keyed by the seed) and of what (kind,
 * subject, table). The tags of one entry have the id in common, so that it is hashed once for all of them, and of what
 * they speak is known beforehand. Whoever has other parts at hand puts them together with these, and gets the same.
 * Any thread; pure. */
uint64_t tag_hash(const struct tag *tag, uint64_t seed);

/* The hash of the tag that these bytes are the binary form of; of bytes that are no tag's, some hash of them all. */
uint64_t tag_hash_encoded(struct slice bytes, uint64_t seed);

/* Of whom: an empty id for the tags of a table, or of everything. */
static inline uint64_t tag_hash_whom(struct slice tenant, struct slice id, uint64_t seed)
{
        return hash_pair(hash64(tenant, seed), hash64(id, seed));
}

/* The hash of a table's name or a subject's, 0 for an empty one; the same in every process. */
static inline uint64_t tag_hash_name(struct slice name)
{
        return name.len == 0 ? 0 : hash64(name, 0);
}

/* Of what: `table` and `subject` by tag_hash_name(). */
static inline uint64_t tag_hash_what(enum tag_kind kind, uint64_t table, uint64_t subject)
{
        return (table << 3) + (subject << 1) + (uint64_t)kind;
}

/* Put together. */
static inline uint64_t tag_hash_of(uint64_t whom, uint64_t what)
{
        return hash_pair(whom, what);
}

/* Reads the text form; *out borrows from `text` and `tenant`. The last '/' splits id and table. Whether there is
 * such a subject or table is for the caller to ask. ERR_BADARG says what is wrong. Any thread; pure. */
enum err tag_parse(struct slice text, struct slice tenant, struct tag *out, struct err_msg *msg) MUST_CHECK;

/* Appends the text form (the tenant is not part of it). Errors as
 * buf_append; then nothing is appended. */
enum err tag_format(const struct tag *tag, struct buf *out) MUST_CHECK;

#endif
