/* Hashing of bytes: XXH3 (xxhash.com), keyed by a seed that each process draws at start, so that nobody outside can
 * choose keys that collide. Not for anything that must withstand an attacker who can see hashes. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/err.h"
#include "base/slice.h"

/* 64 well-mixed bits. Any thread. */
uint64_t hash64(struct slice bytes, uint64_t seed);

/* One hash of two, in their order, as well mixed as the two are: the halves of a product of 128 bits, as in wyhash
 * (github.com/wangyi-fudan/wyhash). Five instructions, where hashing the bytes behind both anew would be fifty. */
static inline uint64_t hash_pair(uint64_t first, uint64_t second)
{
        unsigned __int128 product =
                (unsigned __int128)(first ^ UINT64_C(0xa0761d6478bd642f)) * (second ^ UINT64_C(0xe7037ed1a0b428db));

        return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

struct hash128 {
        uint64_t high;
        uint64_t low;
};

/* 128 well-mixed bits: so many that two texts of the same hash may be taken for the same text. Any thread. */
struct hash128 hash128(struct slice bytes, uint64_t seed);

/* Fills `out` with `len` random bytes of the operating system (getrandom). ERR_IO only when the kernel has none. */
enum err random_bytes(void *out, size_t len) MUST_CHECK;

/* One step of a small reproducible generator (splitmix64, Steele et al., OOPSLA 2014): for jitter and for tests, where
 * the state is the seed that is printed. Own *state. */
static inline uint64_t random_next(uint64_t *state)
{
        uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

#endif
