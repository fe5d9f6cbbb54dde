#include "cache/lookup.h"
#include "cache/tiers_parts.h"
#include "invalidation/tag_slots.h"

static struct nanos age_at(struct nanos now, struct nanos since)
{
        return nanos_before(now, since) ? NANOS_ZERO : nanos_sub(now, since);
}

void lookup_explain(struct tiers *tiers, const struct lookup *lookup, struct lookup_explain *out)
{
        const struct freshness *freshness = tiers->config.freshness;
        const struct record_type *type = lookup->type;
        const struct tag_owner owner = {type, lookup->tenant, lookup->id};
        uint32_t tags[STAMP_TAGS_MAX];
        struct l1_entry *entry;
        struct cache_key key;
        struct l1_view view;

        *out = (struct lookup_explain){.certificate_age = freshness_certificate_age(freshness, lookup->now)};
        cache_key_make(&key, lookup->format, type, lookup->tenant, lookup->id);
        if (tiers->config.l1 == NULL || !l1_peek(tiers->config.l1, cache_key_of_entry(&key), &entry))
                return;
        view = l1_view_of(tiers->config.l1, entry);
        tag_slots(freshness, &owner, &view.stamp, tags);
        out->cached = true;
        out->verdict = freshness_check(freshness, &view.stamp, type->def, tiers_bound(tiers, type), lookup->now);
        out->found = view.found;
        out->age = age_at(lookup->now, view.filled);
        out->expires_in = nanos_sub(view.stamp.expires, lookup->now);
        out->as_of = view.stamp.as_of;
        out->epoch = view.stamp.epoch;
        out->def = view.stamp.def;
        out->fill_micros = view.fill_micros;
        out->bytes = view.value.len;
        l1_release(tiers->config.l1, &entry);
}
