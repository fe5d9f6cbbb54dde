/* What a node has proved about its source of truth, read by every worker without a lock (docs/FRESHNESS.md, 2 and 4).
 *
 * One thread publishes (LMDB: the writer thread; a polled source: the thread that polls); any thread reads.
 *
 *      publisher: poison, epoch, slots; then the change counter (release); then the certificate (release)
 *      reader:    certificate, then counter (acquire), test, counter again; if it moved: repeat */
#ifndef INVALIDATION_FRESHNESS_H
#define INVALIDATION_FRESHNESS_H

#include "base/err.h"
#include "invalidation/stamp.h"

struct freshness;

struct freshness_config {
        uint32_t slots;      /* a power of two; default 2^20 (8 MB) */
        uint64_t tag_seed;
        bool always_certain; /* embedded source: the certificate is always now */
};

enum err freshness_create(struct freshness **out, const struct freshness_config *config) MUST_CHECK;
void freshness_destroy(struct freshness **f);

/* ---- readers: any thread, no lock, no allocation ---- */

uint32_t freshness_slot_of(const struct freshness *f, uint64_t tag_hash);

/* THE freshness test, for L1, L2, joined fills, warming and refresh alike: may an entry with this stamp and a type
 * definition `def` answer a read whose bound is `bound`, at `now` (read after the read() that delivered the command)? */
enum verdict freshness_check(const struct freshness *f, const struct stamp *stamp, uint64_t def, struct nanos bound,
        struct nanos now);

uint64_t freshness_epoch(const struct freshness *f);
/* The newest position published: everything up to it is known here. */
struct position freshness_position(const struct freshness *f);
/* Age of the certificate at `now`; zero when always certain; NANOS_NEVER when there is none. */
struct nanos freshness_certificate_age(const struct freshness *f, struct nanos now);

/* as_of of a read with this snapshot in the present epoch: the newest known position contained in it. */
struct position freshness_as_of(const struct freshness *f, const struct snapshot *snapshot);

/* ---- the publisher's thread only ---- */

/* A new history: everything known before is void, once. */
void freshness_begin_epoch(struct freshness *f, uint64_t epoch, struct position at);
/* Entries of these slots stop answering until lifted. */
void freshness_poison(struct freshness *f, const uint64_t *tag_hashes, size_t count);
void freshness_lift(struct freshness *f, const uint64_t *tag_hashes, size_t count);
/* The tags were touched at `position`: raises their slots and the known position, then lifts their poison. */
void freshness_touch(struct freshness *f, const uint64_t *tag_hashes, size_t count, struct position position);
/* The last successful poll was sent at `sent`. */
void freshness_certify(struct freshness *f, struct nanos sent);
void freshness_withdraw(struct freshness *f);

#endif
