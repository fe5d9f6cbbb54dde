#include "cache/entry.h"

#include "base/mem.h"
#include "cache/entry_snapshot.h"

/* ---- what is kept in fewer bytes ---- */

#define LIFE_COARSE (UINT32_C(1) << 31) /* in units of 65.536 s, where milliseconds would be more than 24 days */
enum { LIFE_COARSE_SHIFT = 16, COST_BITS = 11, KEY_MAX = (1 << ENTRY_KEY_BITS) - 1 };

_Static_assert(ORIGINS_MAX == 1 << 10, "an origin's number is kept in ten bits");
_Static_assert(offsetof(struct l1_entry, bytes) == 52, "no padding");

/* From filling to expiry, rounded up. */
static uint32_t life_pack(struct nanos filled, struct nanos expires)
{
        uint64_t ms;

        if (!nanos_before(filled, expires))
                return 0;
        ms = ((uint64_t)nanos_sub(expires, filled).ns + (uint64_t)NANOS_PER_MS - 1) / (uint64_t)NANOS_PER_MS;
        if (ms < LIFE_COARSE)
                return (uint32_t)ms;
        return LIFE_COARSE | (uint32_t)((ms + (1u << LIFE_COARSE_SHIFT) - 1) >> LIFE_COARSE_SHIFT);
}

static struct nanos life_unpack(uint32_t life, struct nanos expires)
{
        const uint64_t most = (uint64_t)(INT64_MAX / NANOS_PER_MS);
        uint64_t ms = life;

        if ((life & LIFE_COARSE) != 0)
                ms = (uint64_t)(life & ~LIFE_COARSE) << LIFE_COARSE_SHIFT;
        if (ms > most)
                return nanos_sub(expires, NANOS_NEVER);
        return nanos_sub(expires, nanos_ms((int64_t)ms));
}

/* A number of 32 bits as its highest 11 and how far they are moved. */
static uint16_t cost_pack(uint32_t micros)
{
        unsigned shift = 0;

        while (micros >> shift >> COST_BITS != 0)
                shift++;
        return (uint16_t)(shift << COST_BITS | micros >> shift);
}

static uint32_t cost_unpack(uint16_t cost)
{
        return (uint32_t)(cost & ((1u << COST_BITS) - 1)) << (cost >> COST_BITS);
}

/* ---- all entries ---- */

/* To the arena's references, not as it rounds: a policy asks often, and need not know to a hundredth. */
static uint64_t weight(const struct places *places, place_ref ref)
{
        const size_t mask = ((size_t)1 << places->shift) - 1;

        return (entry_size(entry_at(places, ref)) + mask) & ~mask;
}

enum err entry_home_init(struct entry_home *home, uint64_t most_bytes)
{
        enum err rc = l1_arena_create(&home->arena, most_bytes);

        if (rc != OK)
                return rc;
        home->places = (struct places){
                .base = l1_arena_base(home->arena), .shift = l1_arena_shift(home->arena), .weight = weight};
        rc = origins_create(&home->origins);
        if (rc != OK)
                l1_arena_destroy(&home->arena);
        return rc;
}

void entry_home_deinit(struct entry_home *home)
{
        l1_arena_destroy(&home->arena);
        origins_destroy(&home->origins);
}

/* ---- one entry ---- */

/* The offset of the bytes, not sizeof: none are lost to the struct's own padding. */
static size_t size_of_parts(size_t key, size_t value, size_t snapshot)
{
        return offsetof(struct l1_entry, bytes) + key + value + snapshot;
}

size_t entry_size_of(const struct entry_home *home, const struct l1_view *view)
{
        if (view->key.len > KEY_MAX || view->value.len > UINT32_MAX)
                return SIZE_MAX;
        return l1_arena_rounded(
                home->arena, size_of_parts(view->key.len, view->value.len, entry_snapshot_size(view->snapshot)));
}

static const uint8_t *snapshot_bytes(const struct l1_entry *entry)
{
        return entry->bytes + entry->key_len + entry->value_len;
}

size_t entry_size(const struct l1_entry *e)
{
        return size_of_parts(e->key_len, e->value_len, e->has_snapshot ? entry_snapshot_len(snapshot_bytes(e)) : 0);
}

bool entry_snapshot(const struct l1_entry *entry, struct snapshot *out)
{
        if (!entry->has_snapshot)
                return false;
        entry_snapshot_read(snapshot_bytes(entry), out);
        return true;
}

static uint8_t *append(uint8_t *at, struct slice s)
{
        if (s.len > 0)
                memcpy(at, s.data, s.len);
        return at + s.len;
}

/* Field by field: one byte in the midst is the arena's. */
static void fill_in(struct l1_entry *e, const struct l1_view *view, const struct entry_facts *facts)
{
        e->place.hash = facts->hash;
        e->place.owner[OWNER_TYPE] = (uint8_t)view->type_index;
        e->place.owner[OWNER_ORIGIN] = (uint8_t)facts->origin;
        e->chain = 0;
        atomic_init(&e->refs, 1);
        e->as_of = view->stamp.as_of;
        e->expires = view->stamp.expires;
        e->value_len = (uint32_t)view->value.len;
        e->life = life_pack(view->filled, view->stamp.expires);
        e->cost = cost_pack(view->fill_micros);
        e->key_len = (uint16_t)(view->key.len & KEY_MAX);
        e->origin_high = (unsigned)facts->origin >> 8 & 3u;
        e->found = view->found;
        e->from_replica = view->from_replica;
        e->has_snapshot = view->snapshot != NULL;
        entry_snapshot_write(view->snapshot, append(append(e->bytes, view->key), view->value));
}

enum err entry_create(
        struct l1_entry **out, struct entry_home *home, const struct l1_view *view, const struct entry_facts *facts)
{
        const size_t size = size_of_parts(view->key.len, view->value.len, entry_snapshot_size(view->snapshot));
        place_ref ref;
        enum err rc;

        *out = NULL;
        VC_ASSERT(view->type_index <= UINT8_MAX);
        rc = l1_arena_alloc(home->arena, size, facts->grow, &ref);
        if (rc != OK)
                return rc;
        *out = entry_at(&home->places, ref);
        fill_in(*out, view, facts);
        return OK;
}

struct l1_view entry_view(const struct entry_home *home, const struct l1_entry *e)
{
        const struct origin origin = origins_at(home->origins, entry_origin(e));

        return (struct l1_view){
                .key = entry_key(e),
                .value = entry_value(e),
                .found = e->found,
                .from_replica = e->from_replica,
                .type_index = entry_type(e),
                .stamp = {.epoch = origin.epoch, .def = origin.def, .as_of = e->as_of, .expires = e->expires},
                .filled = life_unpack(e->life, e->expires),
                .fill_micros = cost_unpack(e->cost),
        };
}

void entry_release(struct entry_home *home, struct l1_entry **entry)
{
        struct l1_entry *e = *entry;

        *entry = NULL;
        /* acq_rel: whoever frees has seen the end of every other holder's reads */
        if (e == NULL || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) > 1)
                return;
        origins_drop(home->origins, entry_origin(e));
        l1_arena_free(home->arena, entry_ref(&home->places, e), entry_size(e));
}
