/* The tiered read of one key: L1, fills in flight, the source; in the order of lookup_start (cache/lookup.c, the file
 * to read if one reads only one). */
#ifndef CACHE_LOOKUP_H
#define CACHE_LOOKUP_H

#include "base/mailbox.h"
#include "cache/cache_key.h"
#include "cache/reader.h"
#include "invalidation/token.h"

struct fill;

/* Who answered. */
enum tier {
        TIER_NONE,     /* no one: an error */
        TIER_L1,       /* this process's memory */
        TIER_JOINED,   /* a fill that another read had begun */
        TIER_CHECKED,  /* this process's memory, which the database has found unmodified for it */
        TIER_DATABASE, /* a fill of its own */
        TIER_COUNT_
};

/* "none", "l1", "joined", "checked", "database"; never NULL. */
const char *lookup_tier_name(enum tier tier);

/* One read of one key. The caller owns it (lookup_init, in-fields set) and keeps it and what its slices point to until
 * it is done; then reads the out-fields and calls lookup_deinit. The id is of at most RECORD_ID_MAX bytes. */
struct lookup {
        /* in */
        const struct record_type *type;
        struct slice tenant;
        struct slice id;
        enum wire_format format;
        struct nanos now; /* the read's invocation: read after the read() that delivered it */
        bool has_after;
        struct token after; /* answer from a state that has seen that write (its epoch has been checked) */
        bool allow_stale;   /* the reader asked for it, and its type allows it */
        void (*done)(struct lookup *lookup); /* on the reader's loop; not called when lookup_start says it is done */
        /* Asked once, when L1 cannot answer, so that a hit pays for none of it: keeps what the slices point to, which
         * have to live till here only; and checks the id, which until then was looked up as it came (what L1 has was
         * checked before). An error ends the read, with lookup->message. NULL: nothing to do. */
        enum err (*keep)(struct lookup *lookup);
        void *context;
        /* out */
        enum err status;    /* OK, BUSY, UNAVAILABLE (it cannot be known now), BADKEY (of the source), or of `keep` */
        bool found;         /* false with status OK: no such student */
        struct slice value; /* in the wire format; valid until lookup_deinit */
        enum tier tier;
        bool stale; /* only ever true with allow_stale, and only when the source could not answer */
        struct position as_of;
        struct nanos
                age; /* at `now`, since the read that made the value, or the last check of it, was sent; 0 when that
                             was after `now` */
        /* the tiers' own */
        struct mail mail;
        struct reader *reader;
        struct l1_entry *entry; /* could not answer, but may serve a stale answer, or be checked */
        struct fill *fill;
        struct nanos bound;
        bool primary_only; /* a replica's answer will not do */
        bool checkable;    /* the source can be asked whether `entry` is unmodified */
        /* out, with status != OK: names the tier that failed */
        struct err_msg message;
};

/* As zeroing it, which takes longer: everything that is read before it is written. */
static inline void lookup_init(struct lookup *lookup)
{
        lookup->type = NULL;
        lookup->has_after = lookup->allow_stale = false;
        lookup->done = NULL;
        lookup->keep = NULL;
        lookup->context = NULL;
        lookup->status = OK;
        lookup->value = SLICE_EMPTY;
        lookup->found = lookup->stale = lookup->checkable = false;
        lookup->tier = TIER_NONE;
        lookup->entry = NULL;
        lookup->fill = NULL;
        lookup->message.text[0] = '\0';
}

/* Starts the read. True: it is done now (an L1 hit, or an error known at once) and `done` will not be called. False:
 * `done` follows on this reader's loop, never before this returns. The reader's thread only. */
bool lookup_start(struct reader *reader, struct lookup *lookup) MUST_CHECK;

/* Gives back what a done lookup borrows. The reader's thread. */
void lookup_deinit(struct lookup *lookup);

/* The handler of a reader's mailbox: one of its lookups has been answered by another thread's fill. For reader.c. */
void lookup_on_answer(struct mail *mail, void *context);

/* What EXPLAIN and TTL tell of a key; nothing is read from the source and nothing counts as used. */
struct lookup_explain {
        bool cached; /* there is an entry; else only certificate_age is set */
        enum verdict verdict;
        bool found;
        struct nanos age;
        struct nanos expires_in; /* negative: since */
        struct position as_of;
        uint64_t epoch;
        uint64_t def;
        uint32_t fill_micros;
        uint64_t bytes;               /* of the value, as on the wire */
        struct nanos certificate_age; /* NANOS_NEVER: there is none */
};

/* Fills *out for the key that `lookup` names by its in-fields (in that format). Any thread. */
void lookup_explain(struct tiers *tiers, const struct lookup *lookup, struct lookup_explain *out);

#endif
