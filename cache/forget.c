#include "cache/forget.h"

#include "cache/cache_key.h"
#include "cache/l1.h"

static void forget_key(struct l1 *l1, const struct record_type *type, struct slice tenant, struct slice id)
{
        struct cache_key key;

        for (int format = 0; format < FORMAT_COUNT_; format++) {
                cache_key_make(&key, (enum wire_format)format, type, tenant, id);
                (void)l1_remove(l1, cache_key_of_entry(&key));
        }
}

void forget_student(struct l1 *l1, const struct record_types *types, struct slice tenant, struct slice id)
{
        if (l1 == NULL)
                return;
        for (uint32_t i = 0; i < record_types_count(types); i++)
                forget_key(l1, record_types_at(types, i), tenant, id);
}
