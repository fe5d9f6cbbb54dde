#include "cache/l1_shard.h"

static void account_add(_Atomic uint64_t *figure, uint64_t n)
{
        atomic_fetch_add_explicit(figure, n, memory_order_relaxed);
}

static void account_sub(_Atomic uint64_t *figure, uint64_t n)
{
        atomic_fetch_sub_explicit(figure, n, memory_order_relaxed);
}

static uint64_t policy_bytes(const struct l1_shard *shard)
{
        return order_bytes(&shard->order);
}

enum err l1_shard_init(
        struct l1_shard *shard, struct entry_home *home, const struct policy_ops *policy, struct l1_account *account)
{
        enum err rc = entry_table_init(&shard->table, home);

        if (rc != OK)
                return rc;
        rc = order_init(&shard->order, policy, &home->places);
        if (rc != OK) {
                entry_table_deinit(&shard->table);
                return rc;
        }
        shard->account = account;
        account_add(&account->policy_bytes, policy_bytes(shard));
        return OK;
}

void l1_shard_deinit(struct l1_shard *shard)
{
        entry_table_deinit(&shard->table);
        order_deinit(&shard->order);
}

/* ---- with the lock held ---- */

static struct l1_entry *find(const struct l1_shard *shard, const struct l1_key *key)
{
        return entry_table_find(&shard->table, key->hash, key->bytes);
}

static place_ref ref_of(const struct l1_shard *shard, const struct l1_entry *entry)
{
        return entry_ref(&shard->table.home->places, entry);
}

static void link_locked(struct l1_shard *shard, struct l1_entry *entry)
{
        entry_table_insert(&shard->table, entry);
        order_added(&shard->order, ref_of(shard, entry));
        account_add(&shard->account->entries, 1);
}

static void unlink_locked(struct l1_shard *shard, struct l1_entry *entry, bool evicted)
{
        order_removed(&shard->order, ref_of(shard, entry), evicted);
        entry_table_remove(&shard->table, entry);
        account_sub(&shard->account->entries, 1);
}

static void replace_locked(struct l1_shard *shard, struct l1_entry *from, struct l1_entry *to)
{
        entry_table_remove(&shard->table, from);
        entry_table_insert(&shard->table, to);
        order_replaced(&shard->order, ref_of(shard, from), ref_of(shard, to));
}

/* Returns the loser, or NULL. */
static struct l1_entry *insert_locked(struct l1_shard *shard, struct l1_entry *entry)
{
        struct l1_entry *present = entry_table_find(&shard->table, entry->place.hash, entry_key(entry));

        if (present == NULL)
                link_locked(shard, entry);
        else if (entry_is_newer(present, entry_origin(entry), entry->as_of))
                return entry;
        else
                replace_locked(shard, present, entry);
        return present;
}

/* ---- the calls: lock, do, unlock ---- */

struct l1_entry *l1_shard_get(struct l1_shard *shard, const struct l1_key *key, bool use)
{
        struct l1_entry *e;

        lock_take(&shard->lock);
        e = find(shard, key);
        shard->totals.lookups += use;
        if (e != NULL) {
                entry_hold(e);
                if (use) {
                        shard->totals.bytes += e->value_len;
                        order_used(&shard->order, ref_of(shard, e));
                }
        }
        lock_give(&shard->lock);
        return e;
}

struct l1_entry *l1_shard_take(struct l1_shard *shard, const struct l1_key *key)
{
        struct l1_entry *e;

        lock_take(&shard->lock);
        e = find(shard, key);
        if (e != NULL)
                unlink_locked(shard, e, false);
        lock_give(&shard->lock);
        return e;
}

struct l1_standing l1_shard_standing(
        struct l1_shard *shard, const struct l1_key *key, uint16_t origin, struct position as_of)
{
        struct l1_standing standing = {.newer = false};
        const struct l1_entry *e;

        lock_take(&shard->lock);
        e = find(shard, key);
        standing.newer = e != NULL && entry_is_newer(e, origin, as_of);
        standing.present = e != NULL && !standing.newer;
        standing.size = standing.present ? entry_size(e) : 0;
        lock_give(&shard->lock);
        return standing;
}

struct l1_entry *l1_shard_insert(struct l1_shard *shard, struct l1_entry *entry, const struct policy_ops *policy)
{
        struct l1_entry *loser;
        uint64_t before;

        lock_take(&shard->lock);
        before = policy_bytes(shard);
        shard->totals.bytes += entry->value_len;
        loser = insert_locked(shard, entry);
        (void)order_follow(&shard->order, policy); /* where there is no memory for it now, the next one tries again */
        order_move_some(&shard->order);
        account_add(&shard->account->policy_bytes, policy_bytes(shard) - before); /* less: a sum modulo 2^64 */
        lock_give(&shard->lock);
        return loser;
}

void l1_shard_add_totals(struct l1_shard *shard, struct whatif_totals *totals)
{
        lock_take(&shard->lock);
        totals->lookups += shard->totals.lookups;
        totals->bytes += shard->totals.bytes;
        lock_give(&shard->lock);
}

void l1_shard_uncount(struct l1_shard *shard, uint32_t bytes)
{
        lock_take(&shard->lock);
        shard->totals.bytes -= bytes;
        lock_give(&shard->lock);
}

struct l1_entry *l1_shard_evict(struct l1_shard *shard, uint32_t for_hash)
{
        struct l1_entry *e = NULL;
        place_ref victim;

        lock_take(&shard->lock);
        victim = order_victim(&shard->order, for_hash);
        if (victim != 0) {
                e = entry_at(&shard->table.home->places, victim);
                unlink_locked(shard, e, true);
        }
        lock_give(&shard->lock);
        return e;
}
