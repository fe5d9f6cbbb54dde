#include "cache/entry.h"

#include "base/mem.h"

#define TYPE_INDEX_MAX 127u /* what the bit-field holds */

/* A snapshot as it is kept: as many transactions as are running, which is few as a rule; not aligned. */
static size_t snapshot_size(const struct snapshot *s)
{
        return s == NULL ? 0 : sizeof(s->running) + sizeof(s->xmin) + sizeof(s->xmax) + s->running * sizeof(s->xip[0]);
}

/* The offset of the bytes, not sizeof: no bytes are lost to the struct's own padding. */
static size_t size_for(const struct l1_view *view)
{
        return offsetof(struct l1_entry, bytes) + view->key.len + view->value.len + snapshot_size(view->snapshot);
}

static uint8_t *append(uint8_t *at, const void *data, size_t len)
{
        if (len > 0)
                memcpy(at, data, len);
        return at + len;
}

static void append_snapshot(uint8_t *at, const struct snapshot *s)
{
        if (s == NULL)
                return;
        at = append(at, &s->running, sizeof(s->running));
        at = append(at, &s->xmin, sizeof(s->xmin));
        at = append(at, &s->xmax, sizeof(s->xmax));
        (void)append(at, s->xip, s->running * sizeof(s->xip[0]));
}

bool entry_snapshot(const struct l1_entry *entry, struct snapshot *out)
{
        const struct slice value = entry_value(entry);
        const uint8_t *at = value.data + value.len;

        if (!entry->has_snapshot)
                return false;
        memcpy(&out->running, at, sizeof(out->running));
        at += sizeof(out->running);
        memcpy(&out->xmin, at, sizeof(out->xmin));
        at += sizeof(out->xmin);
        memcpy(&out->xmax, at, sizeof(out->xmax));
        at += sizeof(out->xmax);
        out->end = out->xmax; /* what it was before it was cut matters for polls only */
        memcpy(out->xip, at, out->running * sizeof(out->xip[0]));
        return true;
}

enum err entry_create(struct l1_entry **out, const struct l1_view *view, uint32_t hash)
{
        struct l1_entry *e;
        uint8_t *at;
        size_t size;

        *out = NULL;
        VC_ASSERT(view->type_index <= TYPE_INDEX_MAX);
        if (view->key.len > UINT16_MAX || view->value.len > UINT32_MAX)
                return ERR_LIMIT;
        size = size_for(view);
        e = vc_malloc(size < sizeof(*e) ? sizeof(*e) : size);
        if (e == NULL)
                return ERR_NOMEM;
        *e = (struct l1_entry){
                .epoch = view->stamp.epoch,
                .def = view->stamp.def,
                .as_of = view->stamp.as_of,
                .expires = view->stamp.expires,
                .filled = view->filled,
                .hash = hash,
                .refs = 1,
                .value_len = (uint32_t)view->value.len,
                .fill_micros = view->fill_micros,
                .key_len = (uint16_t)view->key.len,
                .type_index = view->type_index & TYPE_INDEX_MAX,
                .has_snapshot = view->snapshot != NULL,
                .from_replica = view->from_replica,
                .found = view->found,
        };
        list_init(&e->place);
        at = append(e->bytes, view->key.data, view->key.len);
        at = append(at, view->value.data, view->value.len);
        append_snapshot(at, view->snapshot);
        *out = e;
        return OK;
}

void entry_release(struct l1_entry **entry)
{
        struct l1_entry *e = *entry;

        *entry = NULL;
        if (e == NULL)
                return;
        /* acq_rel: whoever frees has seen the end of every other holder's reads */
        if (atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
                vc_free(e);
}
