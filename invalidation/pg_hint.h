/* Hints between the nodes of one database: "these tags have been touched", as the payload of a NOTIFY. Nothing depends
 * on them: they may be lost, doubled or forged, and cost at worst a needless read.
 *
 * A payload is the hexadecimal text of: a version byte, the sender's number (8 bytes, big-endian), then each tag's
 * binary form (database/tag.h) after its length in two bytes. Pure; any thread. */
#ifndef INVALIDATION_PG_HINT_H
#define INVALIDATION_PG_HINT_H

#include "base/buf.h"
#include "invalidation/tag_hashes.h"

/* PostgreSQL's limit is 7999 bytes. More tags than PG_HINT_TAGS_MAX are not named one by one: all entries are
 * hinted. */
enum { PG_HINT_TEXT_MAX = 7000, PG_HINT_TAGS_MAX = 1000 };

/* Appends one payload, terminated, for the first of `count` tags (their binary forms; at least one) that fit into it,
 * and returns how many those are through *taken. Errors as buf_append; then `out` is as before. */
enum err pg_hint_write(
        uint64_t sender, const struct slice *tags, size_t count, struct buf *out, size_t *taken) MUST_CHECK;

/* Reads a payload: its sender, and its tags' hashes, which are added to *out. ERR_PROTOCOL when it is none of ours:
 * nothing is added then. ERR_NOMEM. */
enum err pg_hint_read(const char *payload, uint64_t tag_seed, uint64_t *sender, struct tag_hashes *out) MUST_CHECK;

/* Appends bytes as hexadecimal text. Errors as buf_append. */
enum err pg_hex_put(struct buf *out, struct slice bytes) MUST_CHECK;

#endif
