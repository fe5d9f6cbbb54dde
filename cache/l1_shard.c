#include "cache/l1_shard.h"

#include "base/mem.h"

static void account_add(_Atomic uint64_t *figure, uint64_t n)
{
        atomic_fetch_add_explicit(figure, n, memory_order_relaxed);
}

static void account_sub(_Atomic uint64_t *figure, uint64_t n)
{
        atomic_fetch_sub_explicit(figure, n, memory_order_relaxed);
}

enum err l1_shard_init(struct l1_shard *shard, struct l1_account *account)
{
        enum err rc = entry_table_init(&shard->table);

        if (rc != OK)
                return rc;
        list_init(&shard->uses);
        (void)pthread_mutex_init(&shard->lock, NULL);
        shard->account = account;
        account_add(&account->bytes, shard->table.bytes);
        return OK;
}

void l1_shard_deinit(struct l1_shard *shard)
{
        entry_table_deinit(&shard->table);
        pthread_mutex_destroy(&shard->lock);
}

/* ---- with the lock held ---- */

static void insert_locked(struct l1_shard *shard, struct l1_entry *entry)
{
        size_t before = shard->table.bytes;

        entry_table_insert(&shard->table, entry);
        list_push_front(&shard->uses, &entry->place);
        account_add(&shard->account->entries, 1);
        account_add(&shard->account->bytes, vc_footprint(entry) + shard->table.bytes - before);
}

static void unlink_locked(struct l1_shard *shard, struct l1_entry *entry)
{
        size_t before = shard->table.bytes;

        list_remove(&entry->place);
        entry_table_remove(&shard->table, entry);
        account_sub(&shard->account->entries, 1);
        account_sub(&shard->account->bytes, vc_footprint(entry) + before - shard->table.bytes);
}

static struct l1_entry *take_older_locked(struct l1_shard *shard, const struct l1_entry *than, bool *newer)
{
        struct l1_entry *present = entry_table_find(&shard->table, than->hash, entry_key(than));

        *newer = present != NULL && entry_is_newer(present, than);
        if (present == NULL || *newer)
                return NULL;
        unlink_locked(shard, present);
        return present;
}

/* ---- the calls: lock, do, unlock ---- */

struct l1_entry *l1_shard_get(struct l1_shard *shard, uint32_t hash, struct slice key, bool use)
{
        struct l1_entry *e;

        pthread_mutex_lock(&shard->lock);
        e = entry_table_find(&shard->table, hash, key);
        if (e != NULL) {
                entry_hold(e);
                if (use && shard->uses.next != &e->place) {
                        list_remove(&e->place);
                        list_push_front(&shard->uses, &e->place);
                }
        }
        pthread_mutex_unlock(&shard->lock);
        return e;
}

struct l1_entry *l1_shard_take(struct l1_shard *shard, uint32_t hash, struct slice key)
{
        struct l1_entry *e;

        pthread_mutex_lock(&shard->lock);
        e = entry_table_find(&shard->table, hash, key);
        if (e != NULL)
                unlink_locked(shard, e);
        pthread_mutex_unlock(&shard->lock);
        return e;
}

struct l1_entry *l1_shard_take_older(struct l1_shard *shard, const struct l1_entry *than, bool *newer)
{
        struct l1_entry *e;

        pthread_mutex_lock(&shard->lock);
        e = take_older_locked(shard, than, newer);
        pthread_mutex_unlock(&shard->lock);
        return e;
}

struct l1_entry *l1_shard_insert(struct l1_shard *shard, struct l1_entry *entry)
{
        struct l1_entry *loser;
        bool newer;

        pthread_mutex_lock(&shard->lock);
        loser = take_older_locked(shard, entry, &newer);
        if (newer)
                loser = entry;
        else
                insert_locked(shard, entry);
        pthread_mutex_unlock(&shard->lock);
        return loser;
}

struct l1_entry *l1_shard_evict(struct l1_shard *shard)
{
        struct l1_entry *e = NULL;

        pthread_mutex_lock(&shard->lock);
        if (!list_empty(&shard->uses)) {
                e = LIST_ENTRY(shard->uses.prev, struct l1_entry, place);
                unlink_locked(shard, e);
        }
        pthread_mutex_unlock(&shard->lock);
        return e;
}
