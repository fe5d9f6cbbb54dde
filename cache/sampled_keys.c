#include "cache/sampled_keys.h"

#include "base/mem.h"

static uint32_t buckets_for(uint32_t capacity)
{
        uint32_t buckets = 16;

        while (buckets < capacity)
                buckets *= 2;
        return buckets;
}

enum err sampled_keys_init(struct sampled_keys *keys, uint32_t capacity)
{
        uint32_t buckets = buckets_for(capacity);

        *keys = (struct sampled_keys){.mask = buckets - 1, .capacity = capacity};
        keys->keys = vc_calloc((size_t)capacity + 1, sizeof(*keys->keys));
        keys->heads = vc_calloc(buckets, sizeof(*keys->heads));
        if (keys->keys == NULL || keys->heads == NULL) {
                sampled_keys_deinit(keys);
                return ERR_NOMEM;
        }
        for (place_ref ref = capacity; ref > 0; ref--)
                sampled_keys_discard(keys, ref);
        return OK;
}

void sampled_keys_deinit(struct sampled_keys *keys)
{
        vc_free(keys->keys);
        vc_free(keys->heads);
        keys->keys = NULL;
        keys->heads = NULL;
}

/* Sampled hashes are small numbers (below the threshold), so it is their lower bits that are spread. */
static place_ref *head_of(const struct sampled_keys *keys, uint32_t hash)
{
        return &keys->heads[hash & keys->mask];
}

place_ref sampled_keys_find(const struct sampled_keys *keys, uint32_t hash)
{
        place_ref ref = *head_of(keys, hash);

        while (ref != 0 && keys->keys[ref].hash != hash)
                ref = keys->keys[ref].chain;
        return ref;
}

static void link_key(struct sampled_keys *keys, place_ref ref)
{
        place_ref *head = head_of(keys, keys->keys[ref].hash);

        keys->keys[ref].chain = *head;
        *head = ref;
        keys->count++;
}

static void unlink_key(struct sampled_keys *keys, place_ref ref)
{
        place_ref *at = head_of(keys, keys->keys[ref].hash);

        while (*at != ref)
                at = &keys->keys[*at].chain;
        *at = keys->keys[ref].chain;
        keys->count--;
}

static place_ref take_free(struct sampled_keys *keys)
{
        place_ref ref = keys->free;

        if (ref != 0)
                keys->free = keys->keys[ref].chain;
        return ref;
}

place_ref sampled_keys_add(struct sampled_keys *keys, uint32_t hash)
{
        place_ref ref = take_free(keys);

        if (ref == 0)
                return 0;
        keys->keys[ref] = (struct sampled_key){.hash = hash, .missed = IMAGINED_ALL, .zone = IMAGINED_SIZES};
        link_key(keys, ref);
        return ref;
}

place_ref sampled_keys_renew(struct sampled_keys *keys, place_ref ref)
{
        place_ref fresh = take_free(keys);

        if (fresh == 0)
                return 0;
        keys->keys[fresh] = keys->keys[ref];
        unlink_key(keys, ref);
        link_key(keys, fresh);
        if (keys->pinned == ref)
                keys->pinned = fresh;
        return fresh;
}

void sampled_keys_discard(struct sampled_keys *keys, place_ref ref)
{
        keys->keys[ref] = (struct sampled_key){.chain = keys->free, .zone = IMAGINED_SIZES};
        keys->free = ref;
}

void sampled_keys_loosen(struct sampled_keys *keys, place_ref ref)
{
        if (ref == keys->pinned || sampled_key_is_held(&keys->keys[ref]))
                return;
        unlink_key(keys, ref);
        sampled_keys_discard(keys, ref);
}

void sampled_keys_pin(struct sampled_keys *keys, place_ref ref)
{
        VC_ASSERT(keys->pinned == 0);
        keys->pinned = ref;
}

void sampled_keys_unpin(struct sampled_keys *keys)
{
        place_ref ref = keys->pinned;

        keys->pinned = 0;
        if (ref != 0)
                sampled_keys_loosen(keys, ref);
}
