#include "cache/cache_key.h"

static uint8_t *append(uint8_t *at, struct slice s)
{
        if (s.len > 0)
                memcpy(at, s.data, s.len);
        return at + s.len;
}

void cache_key_make(struct cache_key *out, enum wire_format format, const struct record_type *type, struct slice tenant,
        struct slice id)
{
        uint8_t *at = out->bytes;

        VC_ASSERT(tenant.len <= TAG_PART_MAX && type->index < RECORD_TYPES_MAX && id.len <= RECORD_ID_MAX);
        *at++ = (uint8_t)format;
        *at++ = (uint8_t)type->index;
        *at++ = (uint8_t)(tenant.len >> 8);
        *at++ = (uint8_t)(tenant.len & 0xff);
        at = append(at, tenant);
        at = append(at, id);
        out->len = (size_t)(at - out->bytes);
}
