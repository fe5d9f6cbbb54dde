#include "cache/fill.h"

#include "base/mem.h"

enum fill_fit fill_fit(const struct fill *fill, struct nanos invoked)
{
        const struct fill_origin origin = {.sent = fill->sent, .primary = true};

        return fill_rule_fit(&origin, invoked);
}

/* Copies the request's key; what the source reads (tenant, id) borrows from that copy. */
struct fill *fill_create(const struct fill_request *request, uint64_t hash)
{
        struct slice key = cache_key_of_fill(request->key);
        size_t id_at = 2 + request->tenant_len + strlen(request->type->name) + 1;
        struct fill *fill = vc_calloc(1, sizeof(*fill) + key.len);

        if (fill == NULL)
                return NULL;
        fill->state = FILL_QUEUED;
        fill->sent = NANOS_NEVER;
        list_init(&fill->waiters);
        list_init(&fill->read.link);
        fill->hash = hash;
        fill->refs = 1;
        fill->key_len = key.len;
        memcpy(fill->key, key.data, key.len);
        fill->read.type = request->type;
        fill->read.tenant = slice_of(fill->key + 2, request->tenant_len);
        fill->read.id = slice_of(fill->key + id_at, key.len - id_at);
        buf_init(&fill->read.value, 0);
        for (int f = 0; f < FORMAT_COUNT_; f++)
                buf_init(&fill->bodies[f].made, 0);
        return fill;
}

void fill_release(struct fill **out)
{
        struct fill *fill = *out;

        *out = NULL;
        /* acq_rel: whoever frees has seen the end of every other holder's reads */
        if (fill == NULL || atomic_fetch_sub_explicit(&fill->refs, 1, memory_order_acq_rel) > 1)
                return;
        buf_deinit(&fill->read.value);
        for (int f = 0; f < FORMAT_COUNT_; f++)
                buf_deinit(&fill->bodies[f].made);
        vc_free(fill);
}
