/* Zipf's law without a loop. Problem: to draw key k with its own probability, a million times a second and exactly, so
 * that drawing does not become what is measured. Idea (Walker's alias method, as Vose made it linear, IEEE Trans.
 * Softw. Eng. 17, 1991): cut the probabilities into as many columns of equal height as there are keys, each with at
 * most two keys in it. A draw takes a column, and then one of its two. Why not the usual approximation of YCSB (Gray et
 * al., SIGMOD 1994): it is off for the first keys, where it matters. Cost: 8 bytes a key, one multiplication a draw. */
#include "bench/keys.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/mem.h"

#include <math.h>

struct column {
        uint32_t share; /* of 2^32: how much of the column is the key's own */
        uint32_t other; /* whose the rest is */
};

struct keys {
        struct keys_config config;
        uint64_t state;
        uint32_t next;
        struct column columns[]; /* ZIPF */
};

/* Fills in the columns of the probabilities `left`, scaled so that their mean is 1. `small` has room for all keys:
 * those below 1 from the front, the others from the back. Each of the small ones gives its column's rest to a great
 * one. */
static void share_out(struct keys *keys, double *left, uint32_t *small)
{
        const uint32_t count = keys->config.count;
        uint32_t smalls = 0;
        uint32_t greats = 0;

        for (uint32_t k = 0; k < count; k++) {
                if (left[k] < 1)
                        small[smalls++] = k;
                else
                        small[count - ++greats] = k;
        }
        while (smalls > 0 && greats > 0) {
                uint32_t less = small[--smalls];
                uint32_t more = small[count - greats];

                keys->columns[less] = (struct column){(uint32_t)(left[less] * 0x1p32), more};
                left[more] -= 1 - left[less];
                if (left[more] < 1) {
                        greats--;
                        small[smalls++] = more;
                }
        }
        while (smalls > 0) { /* what rounding has left a hair below 1 */
                uint32_t k = small[--smalls];

                keys->columns[k] = (struct column){UINT32_MAX, k};
        }
        for (; greats > 0; greats--) {
                uint32_t k = small[count - greats];

                keys->columns[k] = (struct column){UINT32_MAX, k};
        }
}

static enum err prepare_zipf(struct keys *keys)
{
        const uint32_t count = keys->config.count;
        double *left = vc_malloc(count * sizeof(*left));
        uint32_t *small = vc_malloc(count * sizeof(*small));
        double sum = 0;

        if (left != NULL && small != NULL) {
                for (uint32_t k = 0; k < count; k++)
                        sum += left[k] = pow((double)k + 1, -keys->config.exponent);
                for (uint32_t k = 0; k < count; k++)
                        left[k] *= count / sum;
                share_out(keys, left, small);
        }
        vc_free(left);
        vc_free(small);
        return sum > 0 ? OK : ERR_NOMEM;
}

enum err keys_create(struct keys **out, const struct keys_config *config)
{
        const size_t columns = config->order == KEYS_ZIPF ? config->count : 0;
        struct keys *keys = vc_calloc(1, sizeof(*keys) + columns * sizeof(keys->columns[0]));
        enum err rc = OK;

        *out = NULL;
        VC_ASSERT(config->count > 0);
        if (keys == NULL)
                return ERR_NOMEM;
        keys->config = *config;
        keys->state = config->seed;
        if (config->order == KEYS_ZIPF)
                rc = prepare_zipf(keys);
        if (rc != OK)
                keys_destroy(&keys);
        *out = keys;
        return rc;
}

void keys_destroy(struct keys **keys)
{
        vc_free(*keys);
        *keys = NULL;
}

static uint32_t in_order(struct keys *keys)
{
        const uint32_t key = keys->next;

        keys->next = key + 1 == keys->config.count ? 0 : key + 1;
        return key;
}

uint32_t keys_next(struct keys *keys)
{
        uint64_t bits;
        uint32_t key;

        if (keys->config.order == KEYS_IN_ORDER)
                return in_order(keys);
        bits = random_next(&keys->state);
        key = (uint32_t)((bits >> 32) * keys->config.count >> 32);
        if (keys->config.order == KEYS_ZIPF && (uint32_t)bits >= keys->columns[key].share)
                return keys->columns[key].other;
        return key;
}
