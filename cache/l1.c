/* Problem: bound the whole tier by bytes and entries while its shards are locked one at a time.
 *
 * Idea: the bounds hold for the sum of all shards (two atomic figures, changed only by puts and removes, never by
 * hits), and whoever puts makes room, first in the shard that it puts into, then round the ring. Keys are spread evenly
 * by a keyed hash, so each shard gives up about as much as it takes in, and its policy's order is nearly that of one
 * big table.
 *
 * Why not a bound per shard: chance fills shards unevenly, so that a cache of 1 000 entries in 16 shards would begin to
 * evict at about 800; and no entry could be larger than a shard.
 *
 * Cost: two atomic additions for each put; puts of several threads at once can pass a bound by an entry each until they
 * return. */
#include "cache/l1.h"

#include "base/hash.h"
#include "base/mem.h"
#include "cache/l1_shard.h"
#include "cache/policy.h"
#include "monitoring/counters.h"

/* The largest entry, as a part of max_bytes: one record must not sweep the tier. */
enum { LARGEST_PART = 8 };

struct l1 {
        struct l1_account account;
        _Atomic uint64_t max_bytes;
        _Atomic uint64_t max_entries; /* UINT64_MAX: no bound */
        uint64_t seed;
        uint32_t shard_count;
        struct l1_shard *shards;
};

static void destroy_shards(struct l1 *l1, uint32_t made)
{
        for (uint32_t i = 0; i < made; i++)
                l1_shard_deinit(&l1->shards[i]);
        vc_free(l1->shards);
}

static enum err make_shards(struct l1 *l1, const struct l1_config *config)
{
        l1->shards = vc_calloc_aligned(_Alignof(struct l1_shard), config->shards, sizeof(struct l1_shard));
        if (l1->shards == NULL)
                return ERR_NOMEM;
        l1->shard_count = config->shards;
        for (uint32_t i = 0; i < config->shards; i++) {
                enum err rc = l1_shard_init(&l1->shards[i], &l1->account);

                if (rc != OK) {
                        destroy_shards(l1, i);
                        return rc;
                }
        }
        return OK;
}

enum err l1_create(struct l1 **out, const struct l1_config *config, struct err_msg *msg)
{
        struct l1 *l1;
        enum err rc;

        *out = NULL;
        VC_ASSERT(config->shards > 0 && (config->shards & (config->shards - 1)) == 0);
        if (policy_find(config->policy) == NULL)
                return err_set(
                        msg, ERR_CONFIG, "no eviction policy \"%s\"; there is: %s", config->policy, policy_names());
        l1 = vc_calloc(1, sizeof(*l1));
        if (l1 == NULL)
                return err_set(msg, ERR_NOMEM, "no memory for L1");
        l1->seed = config->seed;
        rc = make_shards(l1, config);
        if (rc != OK) {
                vc_free(l1);
                return err_set(msg, rc, "no memory for the %u shards of L1", config->shards);
        }
        l1_resize(l1, config->max_bytes, config->max_entries);
        *out = l1;
        return OK;
}

void l1_destroy(struct l1 **out)
{
        struct l1 *l1 = *out;

        *out = NULL;
        if (l1 == NULL)
                return;
        destroy_shards(l1, l1->shard_count);
        vc_free(l1);
}

/* The upper half of the hash chooses the shard, the lower half the bucket within it: the two are independent. */
static struct l1_shard *shard_of(const struct l1 *l1, uint64_t hash)
{
        return &l1->shards[(hash >> 32) & (l1->shard_count - 1)];
}

uint64_t l1_hash(const struct l1 *l1, struct slice key)
{
        return hash64(key, l1->seed);
}

void l1_prefetch(const struct l1 *l1, uint64_t hash)
{
        __builtin_prefetch(shard_of(l1, hash));
}

void l1_prefetch_entry(const struct l1 *l1, uint64_t hash)
{
        (void)l1;
        (void)hash;
}

static bool get(struct l1 *l1, struct slice key, uint64_t hash, bool use, struct l1_entry **out)
{
        *out = l1_shard_get(shard_of(l1, hash), (uint32_t)hash, key, use);
        return *out != NULL;
}

bool l1_get_hashed(struct l1 *l1, struct slice key, uint64_t hash, struct l1_entry **out)
{
        return get(l1, key, hash, true, out);
}

bool l1_get(struct l1 *l1, struct slice key, struct l1_entry **out)
{
        return get(l1, key, l1_hash(l1, key), true, out);
}

bool l1_peek(struct l1 *l1, struct slice key, struct l1_entry **out)
{
        return get(l1, key, l1_hash(l1, key), false, out);
}

struct l1_view l1_view_of(const struct l1 *l1, const struct l1_entry *entry)
{
        (void)l1;
        return (struct l1_view){
                .key = entry_key(entry),
                .value = entry_value(entry),
                .found = entry->found,
                .from_replica = entry->from_replica,
                .type_index = entry->type_index,
                .stamp = {.epoch = entry->epoch, .def = entry->def, .as_of = entry->as_of, .expires = entry->expires},
                .filled = entry->filled,
                .fill_micros = entry->fill_micros,
        };
}

bool l1_snapshot_of(const struct l1_entry *entry, struct snapshot *out)
{
        return entry_snapshot(entry, out);
}

struct l1_entry *l1_hold(struct l1_entry *entry)
{
        entry_hold(entry);
        return entry;
}

void l1_release(struct l1 *l1, struct l1_entry **entry)
{
        (void)l1;
        entry_release(entry);
}

/* ---- what leaves L1, and why ---- */

static void drop(struct l1_entry *entry, struct nanos now, enum counter total, enum type_counter of_type)
{
        if (!nanos_before(now, entry->expires)) {
                total = COUNTER_l1_expirations;
                of_type = TYPE_COUNTER_expirations;
        }
        counter_add(total, 1);
        type_counter_add(entry->type_index, of_type, 1);
        entry_release(&entry);
}

/* Its record has changed: a newer state came in its place, or its key was removed. NULL-safe. */
static void drop_outdated(struct l1_entry *entry, struct nanos now)
{
        if (entry != NULL)
                drop(entry, now, COUNTER_l1_deletes, TYPE_COUNTER_deletes);
}

/* Evicts one entry, from shard number `first` if it has any, else from the next that has. */
static bool evict_one(struct l1 *l1, size_t first, struct nanos now)
{
        for (size_t i = 0; i < l1->shard_count; i++) {
                struct l1_entry *e = l1_shard_evict(&l1->shards[(first + i) & (l1->shard_count - 1)]);

                if (e != NULL) {
                        drop(e, now, COUNTER_l1_evictions, TYPE_COUNTER_evictions);
                        return true;
                }
        }
        return false;
}

static uint64_t load(const _Atomic uint64_t *figure)
{
        return atomic_load_explicit(figure, memory_order_relaxed);
}

static bool has_room(const struct l1 *l1, uint64_t bytes, uint64_t entries)
{
        return load(&l1->account.bytes) + bytes <= load(&l1->max_bytes) &&
               load(&l1->account.entries) + entries <= load(&l1->max_entries);
}

/* False when all is evicted and it still does not fit. */
static bool make_room(struct l1 *l1, size_t first, const struct l1_entry *entry, struct nanos now)
{
        while (!has_room(l1, vc_footprint(entry), 1))
                if (!evict_one(l1, first, now))
                        return false;
        return true;
}

static void evict_to_bounds(struct l1 *l1, size_t first, struct nanos now)
{
        while (!has_room(l1, 0, 0) && evict_one(l1, first, now))
                continue;
}

/* ---- changes ---- */

static enum err put_entry(struct l1 *l1, struct l1_shard *shard, struct l1_entry *entry, struct nanos now)
{
        size_t number = (size_t)(shard - l1->shards);
        struct l1_entry *loser;
        bool newer;

        /* The older entry of this key goes first: replacing it must not cost another key its place. */
        drop_outdated(l1_shard_take_older(shard, entry, &newer), now);
        if (newer || !make_room(l1, number, entry, now)) {
                entry_release(&entry);
                return newer ? OK : ERR_LIMIT;
        }
        counter_add(COUNTER_l1_sets, 1);
        type_counter_add(entry->type_index, TYPE_COUNTER_sets, 1);
        loser = l1_shard_insert(shard, entry);
        drop_outdated(loser, now);
        evict_to_bounds(l1, number, now); /* the shard's table may have grown */
        return OK;
}

static bool too_large(const struct l1 *l1, const struct l1_view *view)
{
        return view->key.len + view->value.len > load(&l1->max_bytes) / LARGEST_PART;
}

enum err l1_put(struct l1 *l1, const struct l1_view *view)
{
        uint64_t hash = hash64(view->key, l1->seed);
        struct l1_shard *shard = shard_of(l1, hash);
        struct l1_entry *entry = NULL;
        enum err rc = too_large(l1, view) ? ERR_LIMIT : entry_create(&entry, view, (uint32_t)hash);

        if (rc != OK) {
                drop_outdated(l1_shard_take(shard, (uint32_t)hash, view->key), view->filled);
                return rc;
        }
        return put_entry(l1, shard, entry, view->filled);
}

bool l1_remove(struct l1 *l1, struct slice key)
{
        uint64_t hash = hash64(key, l1->seed);
        struct l1_entry *e = l1_shard_take(shard_of(l1, hash), (uint32_t)hash, key);

        drop_outdated(e, NANOS_ZERO);
        return e != NULL;
}

void l1_resize(struct l1 *l1, uint64_t max_bytes, uint64_t max_entries)
{
        atomic_store_explicit(&l1->max_bytes, max_bytes, memory_order_relaxed);
        atomic_store_explicit(&l1->max_entries, max_entries == 0 ? UINT64_MAX : max_entries, memory_order_relaxed);
        /* Round the ring, so that no shard is emptied for the others. */
        for (size_t first = 0; !has_room(l1, 0, 0) && evict_one(l1, first, NANOS_ZERO); first++)
                continue;
}

void l1_usage(const struct l1 *l1, struct l1_usage *out)
{
        uint64_t max_entries = load(&l1->max_entries);

        *out = (struct l1_usage){
                .entries = load(&l1->account.entries),
                .bytes = load(&l1->account.bytes),
                .max_entries = max_entries == UINT64_MAX ? 0 : max_entries,
                .max_bytes = load(&l1->max_bytes),
        };
}
