#include "cache/shadow.h"

#include "base/mem.h"

enum { PLACE_SHIFT = 4 };

_Static_assert(sizeof(struct place) == 1 << PLACE_SHIFT, "places lie in an array");

static uint64_t weight_of(const struct places *places, place_ref ref)
{
        const struct shadow *shadow =
                (const struct shadow *)(const void *)((const char *)places - offsetof(struct shadow, places));

        return sampled_key_at(shadow->keys, ref)->weight;
}

enum err shadow_init(struct shadow *shadow, const struct policy_ops *ops, struct sampled_keys *keys, unsigned number)
{
        enum err rc;

        *shadow = (struct shadow){.keys = keys, .bit = (uint8_t)(1u << number)};
        shadow->places = (struct places){.shift = PLACE_SHIFT, .weight = weight_of};
        shadow->places.base = vc_calloc((size_t)keys->capacity + 1, sizeof(struct place));
        rc = shadow->places.base == NULL ? ERR_NOMEM : ops->create(&shadow->policy, &shadow->places);
        if (rc != OK)
                vc_free(shadow->places.base);
        return rc;
}

void shadow_deinit(struct shadow *shadow)
{
        shadow->policy->ops->destroy(&shadow->policy);
        vc_free(shadow->places.base);
        shadow->places.base = NULL;
}

void shadow_use(struct shadow *shadow, place_ref ref)
{
        shadow->policy->ops->used(shadow->policy, ref);
}

static void leave(struct shadow *shadow, place_ref ref, bool evicted)
{
        struct sampled_key *key = sampled_key_at(shadow->keys, ref);

        shadow->policy->ops->removed(shadow->policy, ref, evicted);
        key->holders &= (uint8_t)~shadow->bit;
        shadow->count--;
        shadow->bytes -= key->weight;
}

void shadow_take(struct shadow *shadow, place_ref ref)
{
        VC_ASSERT(shadow_has(shadow, ref));
        leave(shadow, ref, false);
}

static bool has_room(const struct shadow *shadow, uint64_t count, uint64_t bytes)
{
        return shadow->count + count <= shadow->max_count && shadow->bytes + bytes <= shadow->max_bytes;
}

/* Until there is room for `count` keys of `bytes` in all, the next one of which has the hash `for_hash`. */
static void make_room(struct shadow *shadow, uint64_t count, uint64_t bytes, uint32_t for_hash)
{
        while (!has_room(shadow, count, bytes)) {
                place_ref victim = shadow->policy->ops->victim(shadow->policy, for_hash);

                VC_ASSERT(victim != 0);
                leave(shadow, victim, true);
                sampled_keys_loosen(shadow->keys, victim);
        }
}

/* A sampled hash is below the sample's threshold; policies expect theirs to be spread over all 32 bits. */
static uint32_t spread(uint32_t hash)
{
        hash = (hash ^ (hash >> 16)) * 0x85ebca6bu; /* the finalizer of MurmurHash3, by A. Appleby: one to one */
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
        return hash ^ (hash >> 16);
}

void shadow_put(struct shadow *shadow, place_ref ref)
{
        struct sampled_key *key = sampled_key_at(shadow->keys, ref);
        struct place *place = place_at(&shadow->places, ref);

        VC_ASSERT(!shadow_has(shadow, ref));
        if (shadow->max_count == 0 || key->weight > shadow->max_bytes)
                return;
        place->hash = spread(key->hash);
        make_room(shadow, 1, key->weight, place->hash);
        shadow->policy->ops->added(shadow->policy, ref);
        key->holders |= shadow->bit;
        shadow->count++;
        shadow->bytes += key->weight;
}

void shadow_replace(struct shadow *shadow, place_ref from, place_ref to)
{
        const struct sampled_key *old = sampled_key_at(shadow->keys, from);
        const struct sampled_key *fresh = sampled_key_at(shadow->keys, to);

        place_at(&shadow->places, to)->hash = place_at(&shadow->places, from)->hash;
        shadow->policy->ops->replaced(shadow->policy, from, to);
        shadow->bytes += fresh->weight;
        shadow->bytes -= old->weight;
        make_room(shadow, 0, 0, 0);
}

void shadow_limit(struct shadow *shadow, uint64_t max_count, uint64_t max_bytes)
{
        shadow->max_count = max_count;
        shadow->max_bytes = max_bytes;
        make_room(shadow, 0, 0, 0);
}
