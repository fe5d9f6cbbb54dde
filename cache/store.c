#include "cache/store.h"

#include "base/hash.h"
#include "database/mutant.h"
#include "database/value_json.h"
#include "invalidation/tag_slots.h"
#include "monitoring/counters.h"

/* ---- the stamp ---- */

/* The TTL less a random part of it, so that entries filled together do not expire together. */
static struct nanos lifetime(struct tiers *tiers, const struct record_type *type)
{
        struct nanos ttl = type->ttl_l1.ns == 0 ? tiers->config.ttl_default : type->ttl_l1;
        /* a counter, mixed: many threads draw from it, and no two draw alike */
        uint64_t state = atomic_fetch_add_explicit(&tiers->jitter, 1, memory_order_relaxed);
        int64_t most = ttl.ns / 100 * tiers->config.ttl_jitter_percent;

        if (most == 0)
                return ttl;
        return nanos_sub(ttl, (struct nanos){(int64_t)(random_next(&state) % (uint64_t)most)});
}

/* A check proves a copy for later; it does not make it live longer. */
static struct nanos expiry(struct tiers *tiers, const struct fill *fill)
{
        const struct source_read *read = &fill->read;
        struct nanos life;

        if (read->unmodified)
                return l1_view_of(fill->known->l1, fill->known->entry).stamp.expires;
        life = lifetime(tiers, read->type);
        if (read->lives.ns > 0 && nanos_before(read->lives, life))
                life = read->lives;
        return nanos_add(fill->sent, life);
}

void store_stamp(struct tiers *tiers, struct fill *fill, struct nanos now)
{
        struct source_read *read = &fill->read;
        const struct tag_owner owner = {read->type, read->tenant, read->id};

        VC_ASSERT(!read->unmodified || fill->known != NULL); /* the source says so of what it was asked only */
        if (read->unmodified)
                read->found = l1_view_of(fill->known->l1, fill->known->entry).found;

        fill->micros = (uint32_t)(nanos_sub(now, fill->sent).ns / 1000);
        if (MUTANT(EPOCH_OF_DELIVERY))
                read->epoch = freshness_epoch(tiers->config.freshness);
        fill->stamp = (struct stamp){
                .epoch = read->epoch,
                .def = read->type->def,
                .as_of = freshness_as_of(tiers->config.freshness, read->epoch, &read->snapshot),
                .expires = expiry(tiers, fill),
        };
        tag_slots(tiers->config.freshness, &owner, &fill->stamp, fill->tags);
}

/* ---- bodies and entries ---- */

static void make_body(const struct fill *fill, enum wire_format format, struct fill_body *body)
{
        const struct source_read *read = &fill->read;

        *body = (struct fill_body){.status = read->status, .value = SLICE_EMPTY, .made = body->made};
        if (read->status != OK || !read->found)
                return;
        if (read->unmodified) {
                VC_ASSERT(format == fill->known->format); /* others have not joined */
                body->value = l1_view_of(fill->known->l1, fill->known->entry).value;
                return;
        }
        body->value = buf_slice(&read->value);
        if (format == FORMAT_JSON) {
                body->status = value_to_json(body->value, &body->made);
                body->value = buf_slice(&body->made);
        }
}

/* An entry that a commit has overtaken, or of another history, could never answer: it would only push out one that can.
 * One that is merely uncertified now can answer again when the source is heard from. */
static bool is_worth_storing(const struct tiers *tiers, const struct fill *fill, struct nanos now)
{
        const struct record_type *type = fill->read.type;
        enum verdict v;

        if (tiers->config.l1 == NULL || !fill_rule_may_store(fill->read.status, fill->stamp.as_of))
                return false;
        v = freshness_check(tiers->config.freshness, &fill->stamp, type->def, fill->read.bound, now);
        return v == VERDICT_FRESH || v == VERDICT_UNCERTIFIED;
}

static void put(struct tiers *tiers, const struct fill *fill, enum wire_format format, struct nanos now)
{
        const struct source_read *read = &fill->read;
        struct cache_key key;
        struct l1_view view;

        cache_key_make(&key, format, read->type, read->tenant, read->id);
        view = (struct l1_view){
                .key = cache_key_of_entry(&key),
                .value = fill->bodies[format].value,
                .found = read->found,
                .from_replica = read->from_replica,
                .type_index = read->type->index,
                .stamp = fill->stamp,
                .filled = fill->sent,
                .fill_micros = fill->micros,
                .snapshot = freshness_always_certain(tiers->config.freshness) ? NULL : &read->snapshot,
        };
        if (l1_put(tiers->config.l1, &view) != OK)
                counter_add(COUNTER_l1_store_failures, 1);
        /* Between the test before and this, a commit may have erased the student, and what there was in L1: then this
         * one goes as well. (Had it been put before forget_student() came by, that would have taken it; if after, then
         * after the commit, too, which the test sees.) */
        if (!is_worth_storing(tiers, fill, now))
                (void)l1_remove(tiers->config.l1, view.key);
}

void store_bodies(struct tiers *tiers, struct fill *fill, uint32_t wanted, struct nanos now)
{
        for (int f = 0; f < FORMAT_COUNT_; f++) {
                if ((wanted & 1u << f) == 0)
                        continue;
                make_body(fill, (enum wire_format)f, &fill->bodies[f]);
                if (fill->bodies[f].status == OK && is_worth_storing(tiers, fill, now))
                        put(tiers, fill, (enum wire_format)f, now);
        }
}
