/* Problem: bound the whole tier by bytes and entries while its shards are locked one at a time.
 *
 * Idea: the bounds hold for the sum of all shards (figures that only puts and removes change, never hits), and whoever
 * puts makes room. Keys are spread evenly by a keyed hash, so each shard gives an entry for each that it takes in, and
 * its policy's order is nearly that of one big table. What needs the room of several takes it from all shards in turn:
 * its own would lose all that it has to a few large entries, while the others keep what nobody reads. (With values
 * from 50 B to 1 MB in 25 MB, that is 86 % of hits against 80.)
 *
 * Why not a bound per shard: chance fills shards unevenly, so that a cache of 1 000 entries in 16 shards would begin to
 * evict at about 800; and no entry could be larger than a shard.
 *
 * What is bounded is what entries take of the arena (cache/l1_arena.c), with tables and policies. What lies free
 * between entries of different sizes is memory as well. So where the process has all of the bound already and no free
 * block fits, up to FIT_TRIES more entries go before the arena grows: enough for what is of a usual size, while one
 * giant does not sweep the tier for a hole of its own size.
 *
 * Cost: an atomic addition or two for each put; puts of several threads at once can pass a bound by an entry each until
 * they return. */
#include "cache/l1.h"

#include "base/hash.h"
#include "base/hot.h"
#include "base/mem.h"
#include "cache/l1_shard.h"
#include "cache/whatif.h"
#include "monitoring/counters.h"

#include <string.h>

enum {
        LARGEST_PART = 8, /* the largest entry, as a part of max_bytes: one record must not sweep the tier */
        FIT_TRIES = 16
};

struct l1 {
        struct entry_home home;
        struct l1_account account;
        _Atomic uint64_t max_bytes;
        _Atomic uint64_t max_entries; /* UINT64_MAX: no bound */
        _Atomic size_t turn;          /* which shard is the next to give an entry for a comer to another */
        uint64_t seed;
        uint32_t shard_count;
        struct l1_shard *shards;
        const struct policy_ops *_Atomic policy; /* that shards are to have */
        _Atomic bool follows;                    /* it is what `whatif` advises */
        _Atomic bool wants_figures;
        _Atomic uint64_t sampled_below; /* hashes below it are in the sample */
        struct whatif *whatif;          /* NULL: there is none */
};

static void destroy_shards(struct l1 *l1, uint32_t made)
{
        for (uint32_t i = 0; i < made; i++)
                l1_shard_deinit(&l1->shards[i]);
        vc_free(l1->shards);
}

static enum err make_shards(struct l1 *l1, const struct l1_config *config, const struct policy_ops *policy)
{
        l1->shards = vc_calloc_aligned(_Alignof(struct l1_shard), config->shards, sizeof(struct l1_shard));
        if (l1->shards == NULL)
                return ERR_NOMEM;
        l1->shard_count = config->shards;
        for (uint32_t i = 0; i < config->shards; i++) {
                enum err rc = l1_shard_init(&l1->shards[i], &l1->home, policy, &l1->account);

                if (rc != OK) {
                        destroy_shards(l1, i);
                        return rc;
                }
        }
        return OK;
}

static enum err make_parts(struct l1 *l1, const struct l1_config *config, const struct policy_ops *policy)
{
        enum err rc = entry_home_init(&l1->home, config->max_bytes);

        if (rc != OK)
                return rc;
        rc = make_shards(l1, config, policy);
        if (rc != OK)
                entry_home_deinit(&l1->home);
        return rc;
}

enum err l1_create(struct l1 **out, const struct l1_config *config, struct err_msg *msg)
{
        const struct policy_ops *policy = policy_find(config->policy);
        struct l1 *l1;
        enum err rc;

        *out = NULL;
        VC_ASSERT(config->shards > 0 && (config->shards & (config->shards - 1)) == 0);
        if (policy == NULL)
                return err_set(
                        msg, ERR_CONFIG, "no eviction policy \"%s\"; there is: %s", config->policy, policy_names());
        l1 = vc_calloc(1, sizeof(*l1));
        if (l1 == NULL)
                return err_set(msg, ERR_NOMEM, "no memory for L1");
        l1->seed = config->seed;
        atomic_init(&l1->policy, policy);
        rc = make_parts(l1, config, policy);
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
        whatif_destroy(&l1->whatif);
        destroy_shards(l1, l1->shard_count);
        entry_home_deinit(&l1->home);
        vc_free(l1);
}

/* ---- the sample ---- */

static uint64_t load(const _Atomic uint64_t *figure)
{
        return atomic_load_explicit(figure, memory_order_relaxed);
}

/* All that the sample costs a key that is not in it. */
static bool is_sampled(const struct l1 *l1, uint32_t hash)
{
        return __builtin_expect(hash < load(&l1->sampled_below), 0);
}

/* An entry's share of max_bytes: what it takes of the arena, and of the tables and policies for all. */
static uint32_t weight_of(const struct l1 *l1, const struct l1_entry *entry)
{
        const uint64_t entries = load(&l1->account.entries);
        const size_t size = l1_arena_rounded(l1->home.arena, entry_size(entry));

        return (uint32_t)(size + load(&l1->account.policy_bytes) / (entries + 1));
}

static struct sample sample_of(const struct l1 *l1, enum sample_kind kind, const struct l1_entry *entry)
{
        return (struct sample){.kind = kind,
                .hash = entry->place.hash,
                .weight = weight_of(l1, entry),
                .bytes = entry->value_len,
                .expires = whatif_tick(entry->expires)};
}

COLD_PATH static void note_lookup(struct l1 *l1, uint32_t hash, const struct l1_entry *found)
{
        struct sample sample = {.kind = SAMPLE_MISS, .hash = hash};

        if (found != NULL)
                sample = sample_of(l1, SAMPLE_HIT, found);
        whatif_note(l1->whatif, &sample);
}

/* ---- reading ---- */

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
        entry_table_prefetch(&shard_of(l1, hash)->table, (uint32_t)hash, false);
}

void l1_prefetch_entry(const struct l1 *l1, uint64_t hash)
{
        entry_table_prefetch(&shard_of(l1, hash)->table, (uint32_t)hash, true);
}

bool l1_get_hashed(struct l1 *l1, struct slice key, uint64_t hash, struct l1_entry **out)
{
        *out = l1_shard_get(shard_of(l1, hash), &(struct l1_key){key, (uint32_t)hash}, true);
        if (is_sampled(l1, (uint32_t)hash))
                note_lookup(l1, (uint32_t)hash, *out);
        return *out != NULL;
}

bool l1_get(struct l1 *l1, struct slice key, struct l1_entry **out)
{
        return l1_get_hashed(l1, key, l1_hash(l1, key), out);
}

bool l1_peek(struct l1 *l1, struct slice key, struct l1_entry **out)
{
        const uint64_t hash = l1_hash(l1, key);

        *out = l1_shard_get(shard_of(l1, hash), &(struct l1_key){key, (uint32_t)hash}, false);
        return *out != NULL;
}

COLD_PATH void l1_stale(struct l1 *l1, const struct l1_entry *entry)
{
        const uint32_t hash = entry->place.hash;

        if (l1->whatif != NULL)
                l1_shard_uncount(shard_of(l1, l1_hash(l1, entry_key(entry))), entry->value_len);
        if (is_sampled(l1, hash))
                whatif_note(l1->whatif, &(struct sample){.kind = SAMPLE_STALE, .hash = hash});
}

struct l1_view l1_view_of(const struct l1 *l1, const struct l1_entry *entry)
{
        return entry_view(&l1->home, entry);
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
        entry_release(&l1->home, entry);
}

/* ---- what leaves L1, and why ---- */

static void drop(struct l1 *l1, struct l1_entry *entry, struct nanos now, enum counter total, enum type_counter of_type)
{
        if (!nanos_before(now, entry->expires)) {
                total = COUNTER_l1_expirations;
                of_type = TYPE_COUNTER_expirations;
        }
        counter_add(total, 1);
        type_counter_add(entry_type(entry), of_type, 1);
        entry_release(&l1->home, &entry);
}

/* Its record has changed: a newer state came in its place, or its key was removed. NULL-safe. */
static void drop_outdated(struct l1 *l1, struct l1_entry *entry, struct nanos now)
{
        if (entry != NULL)
                drop(l1, entry, now, COUNTER_l1_deletes, TYPE_COUNTER_deletes);
}

/* For whom room is made. */
struct comer {
        size_t shard;
        uint32_t hash;
        struct nanos now;
        bool pays_elsewhere; /* its own shard has given one entry already */
};

/* Evicts one entry: the first from the comer's shard, the others from each shard in turn; from the next if there is
 * none. */
static bool evict_one(struct l1 *l1, struct comer *comer)
{
        size_t first =
                comer->pays_elsewhere ? atomic_fetch_add_explicit(&l1->turn, 1, memory_order_relaxed) : comer->shard;

        for (size_t i = 0; i < l1->shard_count; i++) {
                struct l1_shard *shard = &l1->shards[(first + i) & (l1->shard_count - 1)];
                struct l1_entry *e = l1_shard_evict(shard, comer->hash);

                if (e != NULL) {
                        comer->pays_elsewhere = true;
                        drop(l1, e, comer->now, COUNTER_l1_evictions, TYPE_COUNTER_evictions);
                        return true;
                }
        }
        return false;
}

static uint64_t bytes_of(const struct l1 *l1)
{
        return l1_arena_used(l1->home.arena) + load(&l1->account.policy_bytes);
}

static bool has_room(const struct l1 *l1, uint64_t bytes, uint64_t entries)
{
        return bytes_of(l1) + bytes <= load(&l1->max_bytes) &&
               load(&l1->account.entries) + entries <= load(&l1->max_entries);
}

/* False when all is evicted and it still does not fit. */
static bool make_room(struct l1 *l1, struct comer *comer, uint64_t bytes, uint64_t entries)
{
        while (!has_room(l1, bytes, entries))
                if (!evict_one(l1, comer))
                        return false;
        return true;
}

/* ---- changes ---- */

/* Where there are too many histories, those that end go with the entries that nobody uses. */
static enum err take_origin(struct l1 *l1, struct comer *comer, const struct stamp *stamp, uint16_t *number)
{
        const struct origin origin = {stamp->epoch, stamp->def};
        enum err rc = origins_take(l1->home.origins, origin, number);

        while (rc == ERR_LIMIT && evict_one(l1, comer))
                rc = origins_take(l1->home.origins, origin, number);
        return rc;
}

static bool may_grow(const struct l1 *l1, size_t size)
{
        return l1_arena_resident(l1->home.arena) + size <= load(&l1->max_bytes);
}

/* An entry in memory that the process has already, if there is some or some can be made. */
static enum err make_entry(
        struct l1 *l1, struct comer *comer, const struct l1_view *view, uint16_t origin, struct l1_entry **out)
{
        struct entry_facts facts = {.hash = comer->hash, .origin = origin};
        const size_t size = entry_size_of(&l1->home, view);
        enum err rc = ERR_LIMIT;

        for (int tries = 0; rc == ERR_LIMIT; tries++) {
                facts.grow = tries == FIT_TRIES || may_grow(l1, size);
                rc = entry_create(out, &l1->home, view, &facts);
                if (rc == ERR_LIMIT && !evict_one(l1, comer))
                        tries = FIT_TRIES - 1;
        }
        return rc;
}

static void insert(struct l1 *l1, struct comer *comer, struct l1_entry *entry)
{
        const struct sample put = sample_of(l1, SAMPLE_PUT, entry); /* `entry` may be gone in a moment */

        counter_add(COUNTER_l1_sets, 1);
        type_counter_add(entry_type(entry), TYPE_COUNTER_sets, 1);
        drop_outdated(l1, l1_shard_insert(&l1->shards[comer->shard], entry, l1->policy), comer->now);
        (void)make_room(l1, comer, 0, 0); /* the shard's table may have grown */
        if (is_sampled(l1, comer->hash))
                whatif_note(l1->whatif, &put);
}

/* An older entry of this key stays until the new one takes its place; that it will go is counted on when room is made:
 * replacing it must not cost another key its place. */
static enum err put_from(struct l1 *l1, struct comer *comer, const struct l1_view *view, uint16_t origin)
{
        const struct l1_key key = {view->key, comer->hash};
        const struct l1_standing standing =
                l1_shard_standing(&l1->shards[comer->shard], &key, origin, view->stamp.as_of);
        const size_t size = entry_size_of(&l1->home, view);
        struct l1_entry *entry;
        enum err rc;

        if (standing.newer) {
                origins_drop(l1->home.origins, origin);
                return OK;
        }
        rc = make_room(l1, comer, size > standing.size ? size - standing.size : 0, standing.present ? 0 : 1)
                     ? make_entry(l1, comer, view, origin, &entry)
                     : ERR_LIMIT;
        if (rc == OK)
                insert(l1, comer, entry);
        else
                origins_drop(l1->home.origins, origin);
        return rc;
}

static bool too_large(const struct l1 *l1, const struct l1_view *view)
{
        return view->key.len + view->value.len > load(&l1->max_bytes) / LARGEST_PART ||
               entry_size_of(&l1->home, view) == SIZE_MAX;
}

enum err l1_put(struct l1 *l1, const struct l1_view *view)
{
        const uint64_t hash = l1_hash(l1, view->key);
        struct l1_shard *shard = shard_of(l1, hash);
        struct comer comer = {(size_t)(shard - l1->shards), (uint32_t)hash, view->filled, false};
        uint16_t origin;
        enum err rc = too_large(l1, view) ? ERR_LIMIT : take_origin(l1, &comer, &view->stamp, &origin);

        if (rc == OK)
                rc = put_from(l1, &comer, view, origin);
        if (rc != OK)
                drop_outdated(l1, l1_shard_take(shard, &(struct l1_key){view->key, (uint32_t)hash}), view->filled);
        return rc;
}

bool l1_remove(struct l1 *l1, struct slice key)
{
        const uint64_t hash = l1_hash(l1, key);
        struct l1_entry *e = l1_shard_take(shard_of(l1, hash), &(struct l1_key){key, (uint32_t)hash});

        if (is_sampled(l1, (uint32_t)hash))
                whatif_note(l1->whatif, &(struct sample){.kind = SAMPLE_REMOVED, .hash = (uint32_t)hash});
        drop_outdated(l1, e, NANOS_ZERO);
        return e != NULL;
}

void l1_resize(struct l1 *l1, uint64_t max_bytes, uint64_t max_entries)
{
        const uint64_t most = l1_arena_most(l1->home.arena);
        struct comer nobody = {.now = NANOS_ZERO, .pays_elsewhere = true};

        atomic_store_explicit(&l1->max_bytes, max_bytes < most ? max_bytes : most, memory_order_relaxed);
        atomic_store_explicit(&l1->max_entries, max_entries == 0 ? UINT64_MAX : max_entries, memory_order_relaxed);
        (void)make_room(l1, &nobody, 0, 0);
        if (!may_grow(l1, 0))
                l1_arena_trim(l1->home.arena);
        if (l1->whatif != NULL)
                whatif_resize(l1->whatif, max_entries, load(&l1->max_bytes));
}

/* ---- policies ---- */

static void read_totals(void *context, struct whatif_totals *out)
{
        struct l1 *l1 = context;

        *out = (struct whatif_totals){.lookups = 0};
        for (uint32_t i = 0; i < l1->shard_count; i++)
                l1_shard_add_totals(&l1->shards[i], out);
}

static void follow(void *context, const struct policy_ops *best)
{
        struct l1 *l1 = context;

        if (!l1->follows)
                return;
        l1->policy = best;
        counter_add(COUNTER_l1_policy_changes, 1);
}

enum err l1_sample(struct l1 *l1, const struct l1_sampling *sampling)
{
        const struct whatif_config config = {
                .samples = sampling->samples,
                .half_life = sampling->half_life,
                .clock = sampling->clock,
                .below = &l1->sampled_below,
                .totals = read_totals,
                .advise = follow,
                .context = l1,
        };
        const uint64_t max_entries = load(&l1->max_entries);
        enum err rc = whatif_create(&l1->whatif, &config);

        if (rc != OK)
                return rc;
        l1->wants_figures = true;
        whatif_resize(l1->whatif, max_entries == UINT64_MAX ? 0 : max_entries, load(&l1->max_bytes));
        return OK;
}

static void switch_sampling(struct l1 *l1)
{
        if (l1->whatif != NULL)
                whatif_switch(l1->whatif, l1->wants_figures || l1->follows);
}

void l1_keep_sampling(struct l1 *l1, bool wanted)
{
        l1->wants_figures = wanted;
        switch_sampling(l1);
}

enum err l1_set_policy(struct l1 *l1, const char *name)
{
        const struct policy_ops *policy = policy_find(name);
        const bool follows = l1->whatif != NULL && strcmp(name, "auto") == 0;

        if (policy == NULL && !follows)
                return ERR_CONFIG;
        l1->follows = follows;
        switch_sampling(l1);
        l1->policy = follows ? whatif_advice(l1->whatif) : policy;
        return OK;
}

const char *l1_policy(const struct l1 *l1)
{
        return l1->policy->name;
}

bool l1_whatif(struct l1 *l1, struct whatif_report *out)
{
        if (load(&l1->sampled_below) == 0)
                return false;
        whatif_read(l1->whatif, out);
        return true;
}

void l1_usage(const struct l1 *l1, struct l1_usage *out)
{
        uint64_t max_entries = load(&l1->max_entries);

        *out = (struct l1_usage){
                .entries = load(&l1->account.entries),
                .bytes = bytes_of(l1),
                .resident = l1_arena_resident(l1->home.arena) + load(&l1->account.policy_bytes),
                .max_entries = max_entries == UINT64_MAX ? 0 : max_entries,
                .max_bytes = load(&l1->max_bytes),
        };
}
