/* What a node has proved about its source of truth, read by every worker without a lock (docs/FRESHNESS.md).
 *
 * One thread publishes (LMDB: the writer thread; a polled source: the thread that polls); any thread reads. There
 * are two kinds of source, and each uses its own part of the publisher's calls:
 *   embedded  position = write transaction; freshness_poison, then freshness_touch or freshness_lift, around each
 *             commit
 *   polled    position = number of the poll; freshness_poll_begin, freshness_poll_end, freshness_hint */
#ifndef INVALIDATION_FRESHNESS_H
#define INVALIDATION_FRESHNESS_H

#include "base/err.h"
#include "base/slice.h"
#include "invalidation/stamp.h"

struct freshness;

struct freshness_config {
        uint32_t slots;      /* a power of two; default 2^20 (8 MB) */
        uint32_t polls_kept; /* polled sources: how far back a read's snapshot can be placed; at least 1 */
        uint64_t tag_seed;   /* what the tags' hashes are made with (tag_hash) */
        bool always_certain; /* embedded source: the certificate is always now */
        bool heartbeats;     /* polled source: what is taken to be so until the first poll says it (freshness_poll) */
};

/* ERR_NOMEM; *out is NULL then. Knows no history yet: nothing is fresh before freshness_begin_epoch. */
enum err freshness_create(struct freshness **out, const struct freshness_config *config) MUST_CHECK;
void freshness_destroy(struct freshness **f);

/* ---- readers: any thread, no lock, no allocation ---- */

/* Of the configuration; constant. */
uint64_t freshness_tag_seed(const struct freshness *f);
bool freshness_always_certain(const struct freshness *f);

/* tag_hash_whom() with the seed; that of an empty part is known beforehand. */
uint64_t freshness_hash_whom(const struct freshness *f, struct slice tenant, struct slice id);

/* The slot number of a tag, as stamps carry it; constant for a tag. */
uint32_t freshness_slot_of(const struct freshness *f, uint64_t tag_hash);

/* THE freshness test, for L1, L2, joined fills, warming and refresh alike: may an entry with this stamp and a type
 * definition `def` answer a read whose bound is `bound`, invoked at `now` (read after the read() that delivered the
 * command)? With an embedded source every bound, 0 too, is kept by entries that are not touched; with a polled one
 * the last poll must have been sent less than `bound` before `now`. */
enum verdict freshness_check(
        const struct freshness *f, const struct stamp *stamp, uint64_t def, struct nanos bound, struct nanos now);

/* EPOCH_NONE before the first one. */
uint64_t freshness_epoch(const struct freshness *f);
/* The newest position published: what was touched up to it is known here. */
struct position freshness_position(const struct freshness *f);
/* Age of the certificate at `now`; zero when always certain; NANOS_NEVER when there is none. */
struct nanos freshness_certificate_age(const struct freshness *f, struct nanos now);

/* Whether a token's write is known here: then an entry found fresh by a freshness_check made AFTER this call has
 * seen it too, whatever its own as_of is. `epoch` and `n` are the token's; n counts in what the source counts its
 * writes in (LMDB: the position; a polled source: the transaction id). False for a token of another epoch. */
bool freshness_reached(const struct freshness *f, uint64_t epoch, uint64_t n);

/* as_of of a read that saw `snapshot` of history `epoch`: the newest known position whose whole history it contains.
 * POSITION_NONE when it cannot be said (another epoch, older than the polls kept); such a read is not worth
 * caching. */
struct position freshness_as_of(const struct freshness *f, uint64_t epoch, const struct snapshot *snapshot);

/* Where commits wait for a synchronous replica, a primary that was deposed still answers reads, and does not know.
 * Whether what a read brought that had asked "the primary", of history `epoch`, may be believed to be the primary's for
 * a bound and an invocation: there are no such replicas, or a poll of that history whose own commit the replica has
 * confirmed was sent less than `bound` before `invoked`. Never with a bound of 0: such a read confirms a commit of its
 * own (`beaten` in struct fill_origin). Any thread. */
bool freshness_primary_proved(const struct freshness *f, uint64_t epoch, struct nanos bound, struct nanos invoked);

/* ---- the publisher's thread only ---- */

/* A new history begins at `at`, which is not before any position published: everything known is void, once. The
 * epoch is not EPOCH_NONE. */
void freshness_begin_epoch(struct freshness *f, uint64_t epoch, struct position at);

/* Embedded source: before a commit, entries with these tags stop answering, until one of the two calls below with the
 * same tags. One commit at a time. When neither call follows, the commit's outcome is not known: these tags stay
 * poisoned until a later commit touches them, and from then on no lift takes a poison off. */
void freshness_poison(struct freshness *f, const uint64_t *tag_hashes, size_t count);
/* The commit did not happen: as before. */
void freshness_lift(struct freshness *f, const uint64_t *tag_hashes, size_t count);
/* The commit happened at `position`: what it touched is void, everything else answers on. Once this has returned,
 * every freshness_check that starts sees it: the write may be acknowledged. */
void freshness_touch(struct freshness *f, const uint64_t *tag_hashes, size_t count, struct position position);

/* Polled source: numbers the poll that is about to be sent. Its caller reads the clock for `sent` after this call and
 * before sending. */
struct position freshness_poll_begin(struct freshness *f);
/* The snapshot of the last poll published in `epoch`: the next one asks for what has been touched since. NULL when
 * there is none: then it asks for nothing. Borrowed until the next publication. */
const struct snapshot *freshness_last_poll(const struct freshness *f, uint64_t epoch);

struct freshness_poll {
        struct position number; /* of freshness_poll_begin; polls are published in order, failed ones left out */
        uint64_t epoch;         /* the history that the source said it is in */
        struct nanos sent;      /* before it was sent */
        struct snapshot snapshot;
        const uint64_t *touched; /* tag hashes touched by what `snapshot` contains and freshness_last_poll does not */
        size_t touched_count;
        const uint64_t *withheld; /* tag hashes of tables whose changes need not have been noted: no entry with them
                                     is valid before a later poll that does not name them */
        size_t withheld_count;
        bool gap;        /* `touched` is not all of it: the rest had been cleaned up before the poll asked */
        bool heartbeats; /* polls commit, and a synchronous replica confirms it (freshness_primary_proved) */
};
/* A poll of the primary has succeeded. A failed one, or one answered by a replica, is not published: the certificate
 * then ages by itself. */
void freshness_poll_end(struct freshness *f, const struct freshness_poll *poll);
/* The source says that its commits wait for a synchronous replica, or no longer: proof is needed from now on, though
 * no poll has brought it yet (a deposed primary's never does). */
void freshness_set_heartbeats(struct freshness *f, bool heartbeats);
/* Writers say that they have touched these tags (a message that may be lost, late, doubled or forged): they count as
 * touched by the next poll still to be sent. Till then their entries do not answer. */
void freshness_hint(struct freshness *f, const uint64_t *tag_hashes, size_t count);

#endif
