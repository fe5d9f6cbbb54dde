/* Problem: a hash table must double now and then, and moving 60 000 entries at once would hold the shard's lock for
 * milliseconds, while readers of hot keys wait.
 *
 * Idea: two arrays of buckets. When the chains get long, a new array is made, and each insert and remove moves
 * MOVE_STEP buckets of the old array into it, from bucket 0 upwards, until the old one is empty and freed. Where a key
 * lives is decided by arithmetic alone: its bucket of the old array has been moved (index < `moved`) or not, so that a
 * lookup reads exactly one chain, as without a move. The same walk serves for shrinking.
 *
 * The arrays are blocks of the arena. So they are in its account, and who prefetches may look into an array without the
 * lock: it may have been freed meanwhile, but its memory is there, whatever it holds now.
 *
 * Why not open addressing: it saves the chain reference (4 bytes of an entry), but removal in the middle of a move
 * needs tombstones or shifting across two arrays; evictions are as frequent here as insertions.
 *
 * Cost: a move of n buckets ends after n / MOVE_STEP changes, long before the next doubling (n changes) or shrinking
 * (n / 8 changes at least) is due. The new array is zeroed at once: 4 bytes for each entry. */
#include "cache/entry_table.h"

enum {
        BUCKETS_MIN = 8,  /* small: an empty L1 of many shards should weigh next to nothing */
        MOVE_STEP = 16,   /* buckets moved per change of the table: a microsecond or two */
        SHRINK_BELOW = 8, /* fewer than one entry for so many buckets: shrink to one for each */
        HEADS_AT = 16     /* of the block: before them is the byte that the arena keeps */
};

#define BUCKETS_MAX (UINT32_C(1) << 31)

static place_ref *heads_of(const struct entry_table *t, place_ref block)
{
        return (place_ref *)(void *)((uint8_t *)place_at(&t->home->places, block) + HEADS_AT);
}

static place_ref *head_of(const struct entry_table *t, const struct entry_buckets *b, uint32_t hash)
{
        return &heads_of(t, b->block)[hash & b->mask];
}

static size_t size_of(const struct entry_buckets *b)
{
        return HEADS_AT + ((size_t)b->mask + 1) * sizeof(place_ref);
}

static enum err buckets_make(struct entry_table *t, struct entry_buckets *out, uint32_t count)
{
        struct entry_buckets b = {.mask = count - 1};
        enum err rc = l1_arena_alloc(t->home->arena, size_of(&b), true, &b.block);

        if (rc != OK)
                return rc;
        memset(heads_of(t, b.block), 0, count * sizeof(place_ref));
        *out = b;
        return OK;
}

static void buckets_free(struct entry_table *t, struct entry_buckets *b)
{
        if (b->block != 0)
                l1_arena_free(t->home->arena, b->block, size_of(b));
        *b = (struct entry_buckets){0, 0};
}

static void show(struct entry_table *t)
{
        const uint64_t seen = (uint64_t)t->now.mask << 32 | t->now.block;

        atomic_store_explicit(&t->now_seen, seen, memory_order_release);
}

enum err entry_table_init(struct entry_table *t, struct entry_home *home)
{
        enum err rc;

        *t = (struct entry_table){.home = home};
        rc = buckets_make(t, &t->now, BUCKETS_MIN);
        show(t);
        return rc;
}

static void release_all(struct entry_table *t, const struct entry_buckets *b)
{
        if (b->block == 0)
                return;
        for (size_t i = 0; i <= b->mask; i++)
                for (place_ref at = heads_of(t, b->block)[i]; at != 0;) {
                        struct l1_entry *e = entry_at(&t->home->places, at);

                        at = e->chain;
                        entry_release(t->home, &e);
                }
}

void entry_table_deinit(struct entry_table *t)
{
        release_all(t, &t->now);
        release_all(t, &t->old);
        buckets_free(t, &t->now);
        buckets_free(t, &t->old);
        t->count = 0;
}

/* The one chain in which an entry of that hash is, if it is anywhere. */
static place_ref *chain_of(const struct entry_table *t, uint32_t hash)
{
        if (t->old.block != 0 && (hash & t->old.mask) >= t->moved)
                return head_of(t, &t->old, hash);
        return head_of(t, &t->now, hash);
}

struct l1_entry *entry_table_find(const struct entry_table *t, uint32_t hash, struct slice key)
{
        const struct places places = t->home->places;

        for (place_ref at = *chain_of(t, hash); at != 0;) {
                struct l1_entry *e = entry_at(&places, at);

                if (entry_is(e, hash, key))
                        return e;
                at = e->chain;
        }
        return NULL;
}

static void push(const struct entry_table *t, place_ref *head, struct l1_entry *e)
{
        e->chain = *head;
        *head = entry_ref(&t->home->places, e);
}

static void move_bucket(struct entry_table *t, uint32_t index)
{
        place_ref *from = &heads_of(t, t->old.block)[index];

        for (place_ref at = *from; at != 0;) {
                struct l1_entry *e = entry_at(&t->home->places, at);

                at = e->chain;
                push(t, head_of(t, &t->now, e->place.hash), e);
        }
        *from = 0;
}

/* Begins a move into `count` buckets. Without memory for them the table goes on as it is: longer chains, right answers;
 * the next change tries again. */
static void begin_move(struct entry_table *t, uint32_t count)
{
        struct entry_buckets fresh;

        if (buckets_make(t, &fresh, count) != OK)
                return;
        t->old = t->now;
        t->now = fresh;
        t->moved = 0;
        show(t);
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
        const uint32_t buckets = t->now.mask + 1;

        if (t->old.block != 0)
                move_some(t);
        else if (t->count > buckets && buckets < BUCKETS_MAX)
                begin_move(t, buckets * 2);
        else if (t->count < buckets / SHRINK_BELOW && buckets > BUCKETS_MIN)
                begin_move(t, buckets / SHRINK_BELOW < BUCKETS_MIN ? BUCKETS_MIN : buckets / SHRINK_BELOW);
}

void entry_table_insert(struct entry_table *t, struct l1_entry *entry)
{
        push(t, chain_of(t, entry->place.hash), entry);
        t->count++;
        keep_in_shape(t);
}

void entry_table_remove(struct entry_table *t, struct l1_entry *entry)
{
        const place_ref ref = entry_ref(&t->home->places, entry);
        place_ref *at = chain_of(t, entry->place.hash);

        while (*at != ref) {
                VC_ASSERT(*at != 0); /* only what is in the table is removed */
                at = &entry_at(&t->home->places, *at)->chain;
        }
        *at = entry->chain;
        entry->chain = 0;
        t->count--;
        keep_in_shape(t);
}

/* What the sanitizers look for, reading what another writes or has given back, is done here on purpose; volatile, so
 * that it is one load whatever comes of it. */
__attribute__((no_sanitize("address"), no_sanitize("thread"))) void entry_table_prefetch(
        const struct entry_table *t, uint32_t hash, bool deep)
{
        const uint64_t seen = atomic_load_explicit(&t->now_seen, memory_order_acquire);
        const uint8_t *block = t->home->places.base + ((size_t)(uint32_t)seen << t->home->places.shift);
        const place_ref *head = (const place_ref *)(const void *)(block + HEADS_AT) + (hash & (uint32_t)(seen >> 32));
        const uint8_t *entry;

        if (!deep) {
                __builtin_prefetch(head);
                return;
        }
        entry = t->home->places.base + ((size_t) * (const volatile place_ref *)head << t->home->places.shift);
        __builtin_prefetch(entry);
        __builtin_prefetch(entry + 64); /* the key's end, and where the value begins */
}
