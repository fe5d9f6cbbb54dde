#include "cache/fill.h"

#include "base/mem.h"

enum fill_fit fill_fit(const struct fill *fill, struct nanos invoked)
{
        const struct fill_origin origin = {
                .sent = fill->sent, .primary = !fill->read.from_replica, .beaten = fill->read.beaten};

        return fill_rule_fit(&origin, invoked);
}

/* For want of memory, or of a snapshot, the fill just reads in full. */
static void add_known(struct fill *fill, const struct fill_request *request)
{
        struct fill_known *known = request->known == NULL ? NULL : vc_malloc(sizeof(*known));

        if (known == NULL)
                return;
        if (!l1_snapshot_of(request->known, &known->of.snapshot)) {
                vc_free(known);
                return;
        }
        known->of.epoch = l1_view_of(request->l1, request->known).stamp.epoch;
        known->l1 = request->l1;
        known->entry = l1_hold(request->known);
        known->format = request->format;
        fill->known = known;
        fill->read.known = &known->of;
}

/* Copies the request's key; what the source reads (tenant, id) borrows from that copy. */
struct fill *fill_create(const struct fill_request *request, uint64_t hash)
{
        struct slice key = cache_key_of_fill(request->key);
        size_t id_at = CACHE_KEY_FILL_TENANT + request->tenant_len;
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
        fill->read.tenant = slice_of(fill->key + CACHE_KEY_FILL_TENANT, request->tenant_len);
        fill->read.id = slice_of(fill->key + id_at, key.len - id_at);
        fill->read.bound = request->bound;
        fill->read.primary_only = request->primary_only;
        add_known(fill, request);
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
        if (fill->known != NULL)
                l1_release(fill->known->l1, &fill->known->entry);
        vc_free(fill->known);
        buf_deinit(&fill->read.value);
        for (int f = 0; f < FORMAT_COUNT_; f++)
                buf_deinit(&fill->bodies[f].made);
        vc_free(fill);
}
