/* Problem: what would the hit rate be with a quarter of the memory, or with four times as much? An LRU cache of any
 * size holds a prefix of one and the same list, all keys in order of their last use (Mattson et al., 1970). So an
 * access is a hit at every size that is not smaller than the key's distance from the front of that list, and one list
 * answers for all sizes.
 *
 * Idea: few sizes are asked for, so no distance is computed. The list is cut into zones, one for each size: zone 0 is
 * what the smallest cache has, zones 0 and 1 together what the second has, and so on; each key knows its zone. A key
 * that is used moves to the front, and at each boundary that it has crossed one key (or as many as its weight takes)
 * steps over into the next zone, so that each cache is within its limits again. What is pushed over the last boundary
 * would be missed at all sizes, and is forgotten: the list is as long as the largest cache needs and no longer.
 *
 * Why not a tree that counts how many keys are in front of another (as the papers have it): it answers for all sizes
 * at a cost of log n per access and of rebuilding now and then, weighs by bytes and by number in two trees, and nobody
 * asks for the size 1.37.
 *
 * Cost: a hit near the front a few stores, a miss some more for each boundary. A key that is heavier than those it
 * pushes out moves several; but each key is moved over a boundary once for each time that it was used. */
#include "cache/reuse.h"

static struct sampled_key *key_at(const struct reuse *reuse, place_ref ref)
{
        return sampled_key_at(reuse->keys, ref);
}

void reuse_init(struct reuse *reuse, struct sampled_keys *keys)
{
        *reuse = (struct reuse){.keys = keys};
}

static bool is_over(const struct reuse_zone *zone)
{
        return zone->count > zone->limit.count || zone->bytes > zone->limit.bytes;
}

static void unlink_key(struct reuse *reuse, const struct sampled_key *key)
{
        if (key->prev != 0)
                key_at(reuse, key->prev)->next = key->next;
        else
                reuse->front = key->next;
        if (key->next != 0)
                key_at(reuse, key->next)->prev = key->prev;
}

/* The last key of cache number `z` becomes the first that it does not have. */
static void push_over(struct reuse *reuse, unsigned z)
{
        struct reuse_zone *zone = &reuse->zones[z];
        place_ref ref = zone->last;
        struct sampled_key *key = key_at(reuse, ref);

        zone->count--;
        zone->bytes -= key->weight;
        zone->last = key->prev;
        key->zone = (uint8_t)(z + 1);
        if (key->zone < IMAGINED_SIZES)
                return;
        unlink_key(reuse, key);
        sampled_keys_loosen(reuse->keys, ref);
}

/* From the smallest: each boundary's overflow is in the next zone, and that one's business. Nothing has come into the
 * caches from number `end` on. */
static void settle(struct reuse *reuse, unsigned end)
{
        for (unsigned z = 0; z < end; z++)
                while (is_over(&reuse->zones[z]))
                        push_over(reuse, z);
}

static void link_front(struct reuse *reuse, place_ref ref)
{
        struct sampled_key *key = key_at(reuse, ref);

        key->prev = 0;
        key->next = reuse->front;
        if (reuse->front != 0)
                key_at(reuse, reuse->front)->prev = ref;
        reuse->front = ref;
}

/* The caches before number `end` have the key that is now at the front, which they had not, whether they have room or
 * not. */
static void enter_zones(struct reuse *reuse, place_ref ref, unsigned end)
{
        struct sampled_key *key = key_at(reuse, ref);

        key->zone = 0;
        for (unsigned z = 0; z < end; z++) {
                struct reuse_zone *zone = &reuse->zones[z];

                zone->count++;
                zone->bytes += key->weight;
                if (zone->last == 0)
                        zone->last = ref;
        }
        settle(reuse, end);
}

void reuse_push(struct reuse *reuse, place_ref ref)
{
        VC_ASSERT(key_at(reuse, ref)->zone == IMAGINED_SIZES);
        link_front(reuse, ref);
        enter_zones(reuse, ref, IMAGINED_SIZES);
}

void reuse_touch(struct reuse *reuse, place_ref ref)
{
        const struct sampled_key *key = key_at(reuse, ref);
        unsigned zone = key->zone;

        VC_ASSERT(zone < IMAGINED_SIZES);
        if (reuse->front == ref)
                return;
        for (unsigned z = zone; z < IMAGINED_SIZES; z++)
                if (reuse->zones[z].last == ref)
                        reuse->zones[z].last = key->prev;
        unlink_key(reuse, key);
        link_front(reuse, ref);
        enter_zones(reuse, ref, zone);
}

void reuse_take(struct reuse *reuse, place_ref ref)
{
        struct sampled_key *key = key_at(reuse, ref);

        VC_ASSERT(key->zone < IMAGINED_SIZES);
        for (unsigned z = key->zone; z < IMAGINED_SIZES; z++) {
                struct reuse_zone *zone = &reuse->zones[z];

                zone->count--;
                zone->bytes -= key->weight;
                if (zone->last == ref)
                        zone->last = key->prev;
        }
        unlink_key(reuse, key);
        key->zone = IMAGINED_SIZES;
}

void reuse_replace(struct reuse *reuse, place_ref from, place_ref to)
{
        const struct sampled_key *old = key_at(reuse, from);
        const struct sampled_key *fresh = key_at(reuse, to);

        if (fresh->prev != 0)
                key_at(reuse, fresh->prev)->next = to;
        else
                reuse->front = to;
        if (fresh->next != 0)
                key_at(reuse, fresh->next)->prev = to;
        for (unsigned z = fresh->zone; z < IMAGINED_SIZES; z++) {
                struct reuse_zone *zone = &reuse->zones[z];

                zone->bytes += fresh->weight;
                zone->bytes -= old->weight;
                if (zone->last == from)
                        zone->last = to;
        }
        settle(reuse, IMAGINED_SIZES);
}

void reuse_limit(struct reuse *reuse, const struct reuse_limit limits[IMAGINED_SIZES])
{
        place_ref last = 0;

        for (unsigned z = 0; z < IMAGINED_SIZES; z++)
                reuse->zones[z].limit = limits[z];
        /* All into the smallest cache; then they are pushed out of it, and so on. */
        for (place_ref ref = reuse->front; ref != 0; ref = key_at(reuse, ref)->next) {
                key_at(reuse, ref)->zone = 0;
                last = ref;
        }
        for (unsigned z = 0; z < IMAGINED_SIZES; z++) {
                const struct reuse_zone *all = &reuse->zones[IMAGINED_SIZES - 1];

                reuse->zones[z].last = last;
                reuse->zones[z].count = all->count;
                reuse->zones[z].bytes = all->bytes;
        }
        settle(reuse, IMAGINED_SIZES);
}
