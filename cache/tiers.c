#include "cache/tiers.h"

#include "base/mem.h"
#include "cache/tiers_parts.h"

struct nanos tiers_bound(const struct tiers *tiers, const struct record_type *type)
{
        if (freshness_always_certain(tiers->config.freshness))
                return NANOS_ZERO;
        return type->has_bound ? type->bound : tiers->config.bound_default;
}

enum err tiers_create(struct tiers **out, const struct tiers_config *config)
{
        struct tiers *tiers = vc_calloc(1, sizeof(*tiers));
        enum err rc;

        *out = NULL;
        VC_ASSERT(config->ttl_jitter_percent <= 100);
        if (tiers == NULL)
                return ERR_NOMEM;
        tiers->config = *config;
        tiers->jitter = config->seed;
        rc = fills_create(&tiers->fills, &(struct fills_config){.max = config->fills_max,
                                                 .seed = config->seed,
                                                 .always_certain = freshness_always_certain(config->freshness)});
        if (rc != OK) {
                vc_free(tiers);
                return rc;
        }
        *out = tiers;
        return OK;
}

void tiers_destroy(struct tiers **out)
{
        struct tiers *tiers = *out;

        *out = NULL;
        if (tiers == NULL)
                return;
        fills_destroy(&tiers->fills);
        vc_free(tiers);
}
