#include "base/hash.h"

#define XXH_INLINE_ALL /* its short cases become part of what calls them */
#include <xxhash.h>

#include <errno.h>
#include <sys/random.h>

uint64_t hash64(struct slice bytes, uint64_t seed)
{
        return XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}

struct hash128 hash128(struct slice bytes, uint64_t seed)
{
        XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data, bytes.len, seed);

        return (struct hash128){.high = hash.high64, .low = hash.low64};
}

enum err random_bytes(void *out, size_t len)
{
        uint8_t *at = out;

        while (len > 0) {
                ssize_t got = getrandom(at, len, 0);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return ERR_IO;
                at += got;
                len -= (size_t)got;
        }
        return OK;
}
