/* Problem: a hash table must double now and then, and moving 60 000 entries at once would hold the shard's lock for
 * milliseconds, while readers of hot keys wait.
 *
 * Idea: two arrays of buckets. When the chains get long, a new array is made, and each insert and remove moves
 * MOVE_STEP buckets of the old array into it, from bucket 0 upwards, until the old one is empty and freed. Where a key
 * lives is decided by arithmetic alone: its bucket of the old array has been moved (index < `moved`) or not, so that a
 * lookup reads exactly one chain, as without a move. The same walk serves for shrinking.
 *
 * Why not open addressing: it saves the chain pointer (8 bytes of an entry), but removal in the middle of a move needs
 * tombstones or shifting across two arrays; evictions are as frequent here as insertions.
 *
 * Cost: a move of n buckets ends after n / MOVE_STEP changes, long before the next doubling (n changes) or shrinking
 * (n / 8 changes at least) is due. */
#include "cache/entry_table.h"

#include "base/mem.h"

enum {
        BUCKETS_MIN = 8, /* small: an empty L1 of many shards should weigh next to nothing */
        MOVE_STEP = 16,  /* buckets moved per change of the table: a microsecond or two */
        SHRINK_BELOW = 8 /* fewer than one entry for so many buckets: shrink to one for each */
};

static enum err buckets_make(struct entry_table *t, struct entry_buckets *out, size_t count)
{
        struct l1_entry **heads = vc_calloc(count, sizeof(struct l1_entry *));

        if (heads == NULL)
                return ERR_NOMEM;
        *out = (struct entry_buckets){.heads = heads, .mask = count - 1};
        t->bytes += vc_footprint(heads);
        return OK;
}

static void buckets_free(struct entry_table *t, struct entry_buckets *b)
{
        if (b->heads == NULL)
                return;
        t->bytes -= vc_footprint(b->heads);
        vc_free(b->heads);
        *b = (struct entry_buckets){NULL, 0};
}

enum err entry_table_init(struct entry_table *t)
{
        *t = (struct entry_table){.count = 0};
        return buckets_make(t, &t->now, BUCKETS_MIN);
}

static void release_all(struct entry_buckets *b)
{
        if (b->heads == NULL)
                return;
        for (size_t i = 0; i <= b->mask; i++)
                for (struct l1_entry *e = b->heads[i], *next; e != NULL; e = next) {
                        next = e->chain;
                        entry_release(&e);
                }
}

void entry_table_deinit(struct entry_table *t)
{
        release_all(&t->now);
        release_all(&t->old);
        buckets_free(t, &t->now);
        buckets_free(t, &t->old);
        t->count = 0;
}

/* The one chain in which an entry of that hash is, if it is anywhere. */
static struct l1_entry **chain_of(const struct entry_table *t, uint32_t hash)
{
        if (t->old.heads != NULL && (hash & t->old.mask) >= t->moved)
                return &t->old.heads[hash & t->old.mask];
        return &t->now.heads[hash & t->now.mask];
}

struct l1_entry *entry_table_find(const struct entry_table *t, uint32_t hash, struct slice key)
{
        for (struct l1_entry *e = *chain_of(t, hash); e != NULL; e = e->chain)
                if (entry_is(e, hash, key))
                        return e;
        return NULL;
}

static void move_bucket(struct entry_table *t, size_t index)
{
        for (struct l1_entry *e = t->old.heads[index], *next; e != NULL; e = next) {
                struct l1_entry **head = &t->now.heads[e->hash & t->now.mask];

                next = e->chain;
                e->chain = *head;
                *head = e;
        }
        t->old.heads[index] = NULL;
}

/* Begins a move into `count` buckets. Without memory for them the table goes on as it is: longer chains, right answers;
 * the next change tries again. */
static void begin_move(struct entry_table *t, size_t count)
{
        struct entry_buckets fresh;

        if (buckets_make(t, &fresh, count) != OK)
                return;
        t->old = t->now;
        t->now = fresh;
        t->moved = 0;
}

static void move_some(struct entry_table *t)
{
        for (int i = 0; i < MOVE_STEP && t->moved <= t->old.mask; i++)
                move_bucket(t, t->moved++);
        if (t->moved > t->old.mask)
                buckets_free(t, &t->old);
}

/* Called with each change: goes on with a move, or begins one when it is due. */
static void keep_in_shape(struct entry_table *t)
{
        size_t buckets = t->now.mask + 1;

        if (t->old.heads != NULL)
                move_some(t);
        else if (t->count > buckets && buckets <= UINT32_MAX / 2)
                begin_move(t, buckets * 2);
        else if (t->count < buckets / SHRINK_BELOW && buckets > BUCKETS_MIN)
                begin_move(t, buckets / SHRINK_BELOW < BUCKETS_MIN ? BUCKETS_MIN : buckets / SHRINK_BELOW);
}

void entry_table_insert(struct entry_table *t, struct l1_entry *entry)
{
        struct l1_entry **head = chain_of(t, entry->hash);

        entry->chain = *head;
        *head = entry;
        t->count++;
        keep_in_shape(t);
}

void entry_table_remove(struct entry_table *t, struct l1_entry *entry)
{
        struct l1_entry **at = chain_of(t, entry->hash);

        while (*at != entry) {
                VC_ASSERT(*at != NULL); /* only what is in the table is removed */
                at = &(*at)->chain;
        }
        *at = entry->chain;
        entry->chain = NULL;
        t->count--;
        keep_in_shape(t);
}
