/* Publishing without locks.
 *
 * Problem: an entry may answer by comparing what the publisher has stored (epoch, floor, slots, certificate), while
 * the publisher goes on storing; a reader on the hit path must neither wait nor be misled.
 * Idea: a certificate says "as of the moment it names, the rest was complete". The publisher stores the rest first,
 * then the change counter, then the certificate, each with release order; the reader loads the certificate first,
 * with acquire order, and the rest after it: so the rest that it sees is at least as new as the certificate claims.
 * Newer does no harm: slots, floor and position only grow, and a poison or another epoch can only make an entry not
 * answer. The change counter makes the test one of a single state: if something was published meanwhile, the test is
 * repeated, so that a verdict reached at counter n stays true for as long as the counter is n.
 * Why not a lock: a preempted publisher would stop all workers. Cost: one load for each tag and four more. */
#include "invalidation/freshness.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/mutant.h"
#include "invalidation/ring.h"
#include "invalidation/slots.h"

#include <stdatomic.h>

#define NO_CERTIFICATE INT64_MIN

struct freshness {
        struct slots *slots;
        struct ring *ring; /* NULL: an embedded source */
        uint64_t tag_seed;
        uint64_t hash_of_none; /* of a tenant or an id that is empty */

        /* stored by the publisher, loaded by any thread */
        _Atomic uint64_t epoch;
        _Atomic uint64_t floor;
        _Atomic uint64_t position;
        _Atomic uint64_t changes;
        _Atomic int64_t certificate; /* when the last successful poll was sent, or NO_CERTIFICATE */
        _Atomic bool heartbeats;     /* the certificate's poll was confirmed by a synchronous replica */

        /* the publisher's own */
        bool committing;        /* between poison and touch or lift */
        bool outcome_unknown;   /* some commit's poison was never followed by touch or lift */
        uint64_t polls_begun;   /* the number of the last poll begun */
        struct snapshot polled; /* what the last published poll saw; set if position is one of this epoch */
        bool has_polled;
};

enum err freshness_create(struct freshness **out, const struct freshness_config *config)
{
        struct freshness *f = vc_calloc(1, sizeof(*f));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (f == NULL)
                return rc;
        f->tag_seed = config->tag_seed;
        f->hash_of_none = hash64(SLICE_EMPTY, config->tag_seed);
        atomic_init(&f->certificate, NO_CERTIFICATE);
        atomic_init(&f->heartbeats, config->heartbeats);
        atomic_init(&f->floor, UINT64_MAX); /* no history: nothing reaches it */
        rc = slots_create(&f->slots, config->slots);
        if (rc == OK && !config->always_certain)
                rc = ring_create(&f->ring, config->polls_kept);
        if (rc != OK)
                freshness_destroy(&f);
        *out = f;
        return rc;
}

void freshness_destroy(struct freshness **f)
{
        if (*f == NULL)
                return;
        if ((*f)->slots != NULL)
                slots_destroy(&(*f)->slots);
        if ((*f)->ring != NULL)
                ring_destroy(&(*f)->ring);
        vc_free(*f);
        *f = NULL;
}

/* ---- readers ---- */

uint64_t freshness_tag_seed(const struct freshness *f)
{
        return f->tag_seed;
}

static uint64_t hash_part(const struct freshness *f, struct slice part)
{
        return part.len == 0 ? f->hash_of_none : hash64(part, f->tag_seed);
}

uint64_t freshness_hash_whom(const struct freshness *f, struct slice tenant, struct slice id)
{
        return hash_pair(hash_part(f, tenant), hash_part(f, id));
}

bool freshness_always_certain(const struct freshness *f)
{
        return f->ring == NULL;
}

uint32_t freshness_slot_of(const struct freshness *f, uint64_t tag_hash)
{
        return slots_number(f->slots, tag_hash);
}

uint64_t freshness_epoch(const struct freshness *f)
{
        return atomic_load_explicit(&f->epoch, memory_order_acquire);
}

struct position freshness_position(const struct freshness *f)
{
        return (struct position){atomic_load_explicit(&f->position, memory_order_acquire)};
}

/* How long before `now` the poll was sent that `certificate` names; negative when it was sent after `now`. */
static struct nanos age_of(const struct freshness *f, int64_t certificate, struct nanos now)
{
        if (freshness_always_certain(f))
                return NANOS_ZERO;
        if (certificate == NO_CERTIFICATE)
                return NANOS_NEVER;
        return nanos_sub(now, (struct nanos){certificate});
}

struct nanos freshness_certificate_age(const struct freshness *f, struct nanos now)
{
        struct nanos age = age_of(f, atomic_load_explicit(&f->certificate, memory_order_acquire), now);

        return age.ns < 0 ? NANOS_ZERO : age;
}

/* A write acknowledged before now - bound was visible to a poll sent later than that. An embedded source needs no
 * poll: its slots are raised before a write is acknowledged, so that they are complete at any bound, 0 too. */
static bool certified(const struct freshness *f, int64_t certificate, struct nanos bound, struct nanos now)
{
        return freshness_always_certain(f) || nanos_before(age_of(f, certificate, now), bound) ||
               MUTANT(CERTIFICATE_IGNORED);
}

/* The epoch is loaded before the floor: freshness_begin_epoch stores the floor first, so that no new epoch meets
 * an old floor. */
static enum verdict judge(const struct freshness *f, const struct stamp *stamp, uint64_t def, struct nanos now)
{
        struct known known;

        VC_ASSERT(stamp->tag_count > 0); /* what has no tags would never be void */
        known.epoch = freshness_epoch(f);
        known.floor.n = atomic_load_explicit(&f->floor, memory_order_acquire);
        MUTANT_PAUSE();
        known.newest_touch = slots_newest(f->slots, stamp->tags, stamp->tag_count);
        return stamp_judge(stamp, def, now, &known);
}

enum verdict freshness_check(
        const struct freshness *f, const struct stamp *stamp, uint64_t def, struct nanos bound, struct nanos now)
{
        enum verdict verdict;
        int64_t certificate;
        uint64_t changes;

        do {
                certificate = atomic_load_explicit(&f->certificate, memory_order_acquire);
                changes = atomic_load_explicit(&f->changes, memory_order_acquire);
                MUTANT_PAUSE();
                verdict = judge(f, stamp, def, now);
        } while (atomic_load_explicit(&f->changes, memory_order_relaxed) != changes);
        if (MUTANT(TEST_BEFORE_CERTIFICATE)) {
                MUTANT_PAUSE();
                certificate = atomic_load_explicit(&f->certificate, memory_order_acquire);
        }
        if (verdict == VERDICT_FRESH && !certified(f, certificate, bound, now))
                return VERDICT_UNCERTIFIED;
        return verdict;
}

static bool reached_in_this_epoch(const struct freshness *f, uint64_t n)
{
        return freshness_always_certain(f) ? n <= freshness_position(f).n : ring_has(f->ring, n);
}

/* The epoch is looked at once more after the polls: were it to change in between, the same number in the next history's
 * polls would answer for another write. */
bool freshness_reached(const struct freshness *f, uint64_t epoch, uint64_t n)
{
        bool reached;

        if (MUTANT(AFTER_IGNORED))
                return true;
        if (MUTANT(AFTER_EPOCH_IGNORED))
                return reached_in_this_epoch(f, n);
        if (epoch != freshness_epoch(f))
                return false;
        reached = reached_in_this_epoch(f, n);
        return reached && epoch == freshness_epoch(f);
}

struct position freshness_as_of(const struct freshness *f, uint64_t epoch, const struct snapshot *snapshot)
{
        if (epoch != freshness_epoch(f) && !MUTANT(EPOCH_IGNORED))
                return POSITION_NONE;
        if (MUTANT(AS_OF_AT_STORING))
                return freshness_position(f);
        /* the newest transaction contained; it may be ahead of what is published so far */
        if (freshness_always_certain(f))
                return (struct position){snapshot->xmin - 1};
        return ring_contained(f->ring, snapshot);
}

/* The certificate is loaded before the epoch, as in freshness_check: it is of this epoch or of an earlier one, and no
 * poll of an earlier one is younger than the one that began this. */
bool freshness_primary_proved(const struct freshness *f, uint64_t epoch, struct nanos bound, struct nanos invoked)
{
        const int64_t certificate = atomic_load_explicit(&f->certificate, memory_order_acquire);

        if (!atomic_load_explicit(&f->heartbeats, memory_order_relaxed) || MUTANT(PRIMARY_UNPROVED))
                return true;
        if (epoch != freshness_epoch(f) && !MUTANT(PROOF_OF_OTHER_EPOCH))
                return false;
        return certified(f, certificate, bound, invoked);
}

/* ---- the publisher ---- */

static void count_change(struct freshness *f)
{
        atomic_fetch_add_explicit(&f->changes, 1, memory_order_release);
        MUTANT_PAUSE();
}

void freshness_begin_epoch(struct freshness *f, uint64_t epoch, struct position at)
{
        VC_ASSERT(epoch != EPOCH_NONE && !f->committing);
        VC_ASSERT(at.n >= freshness_position(f).n); /* the slots still hold what earlier histories touched */
        if (f->ring != NULL)
                ring_clear(f->ring);
        f->has_polled = false;
        atomic_store_explicit(&f->floor, at.n, memory_order_release);
        MUTANT_PAUSE();
        atomic_store_explicit(&f->epoch, epoch, memory_order_release);
        atomic_store_explicit(&f->position, at.n, memory_order_release);
        count_change(f);
}

void freshness_poison(struct freshness *f, const uint64_t *tag_hashes, size_t count)
{
        if (f->committing) /* the last commit's outcome never came */
                f->outcome_unknown = true;
        f->committing = true;
        if (!MUTANT(NO_POISON))
                slots_poison(f->slots, tag_hashes, count);
        count_change(f);
        /* The commit must not become visible before the poison is: a full barrier between the two. */
        atomic_thread_fence(memory_order_seq_cst);
}

/* A poison that an unknown outcome left behind looks like this commit's own, and may be in the same slot: it is not
 * lifted without a new position, for entries from before that commit would answer again. */
void freshness_lift(struct freshness *f, const uint64_t *tag_hashes, size_t count)
{
        VC_ASSERT(f->committing);
        f->committing = false;
        if (!f->outcome_unknown || MUTANT(LIFT_AFTER_UNKNOWN))
                slots_lift(f->slots, tag_hashes, count);
        count_change(f);
}

void freshness_touch(struct freshness *f, const uint64_t *tag_hashes, size_t count, struct position position)
{
        VC_ASSERT(f->committing && position.n >= freshness_position(f).n);
        f->committing = false;
        if (MUTANT(LIFT_BEFORE_RAISE) || MUTANT(NO_RAISE)) {
                slots_lift(f->slots, tag_hashes, count);
                MUTANT_PAUSE();
        }
        if (!MUTANT(NO_RAISE))
                slots_raise(f->slots, tag_hashes, count, position);
        atomic_store_explicit(&f->position, position.n, memory_order_release);
        count_change(f);
        atomic_thread_fence(memory_order_seq_cst); /* and so before the acknowledgement that the caller sends next */
}

struct position freshness_poll_begin(struct freshness *f)
{
        return (struct position){++f->polls_begun};
}

const struct snapshot *freshness_last_poll(const struct freshness *f, uint64_t epoch)
{
        return f->has_polled && epoch == freshness_epoch(f) ? &f->polled : NULL;
}

static void certify(struct freshness *f, struct nanos sent)
{
        atomic_store_explicit(&f->certificate, sent.ns, memory_order_release);
        MUTANT_PAUSE();
}

/* Whether the poll continues what is known. After a gap it does not, though the history is the same: what was touched
 * in between is known to nobody any more. */
static bool continues(const struct freshness *f, const struct freshness_poll *poll)
{
        if (poll->gap && !MUTANT(GAP_IGNORED))
                return false;
        return poll->epoch == freshness_epoch(f) || (MUTANT(EPOCH_CHANGE_IGNORED) && f->has_polled);
}

/* A poll of another history says what was touched in that history only. Its number becomes the floor: entries made
 * before this node knew the history do not answer.
 *
 * Withheld tags take the position of the next poll, which no entry can have before that poll has ended, as with a hint;
 * and they take it before this poll's number becomes a position that entries can have. */
void freshness_poll_end(struct freshness *f, const struct freshness_poll *poll)
{
        VC_ASSERT(f->ring != NULL && poll->number.n <= f->polls_begun && poll->number.n > freshness_position(f).n);
        if (!continues(f, poll))
                freshness_begin_epoch(f, poll->epoch, poll->number);
        atomic_store_explicit(&f->heartbeats, poll->heartbeats, memory_order_relaxed);
        if (MUTANT(CERTIFICATE_FIRST))
                certify(f, poll->sent);
        slots_raise(f->slots, poll->touched, poll->touched_count, poll->number);
        if (!MUTANT(WITHHELD_IGNORED))
                slots_raise(f->slots, poll->withheld, poll->withheld_count, (struct position){f->polls_begun + 1});
        ring_add(f->ring, poll->number, &poll->snapshot);
        f->polled = poll->snapshot;
        f->has_polled = true;
        atomic_store_explicit(&f->position, poll->number.n, memory_order_release);
        count_change(f);
        certify(f, poll->sent);
}

void freshness_set_heartbeats(struct freshness *f, bool heartbeats)
{
        atomic_store_explicit(&f->heartbeats, heartbeats, memory_order_relaxed);
}

/* A position still to come voids an entry as well as a past one: as_of never exceeds a published poll. The poll under
 * way (begun, not ended) may have read the database before the write that the hint tells of, so it is the one after
 * it that counts. */
void freshness_hint(struct freshness *f, const uint64_t *tag_hashes, size_t count)
{
        struct position next = {f->polls_begun + 1};

        VC_ASSERT(f->ring != NULL);
        if (MUTANT(HINT_AT_POLL_UNDER_WAY))
                next.n = f->polls_begun;
        if (MUTANT(HINT_AT_NEWEST_POLL))
                next = freshness_position(f);
        slots_raise(f->slots, tag_hashes, count, next);
        count_change(f);
}
