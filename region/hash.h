/*
 * The hash of a path: from the root outward to the leaf, one step per frame. Two different keys
 * after the same prefix never give the same hash (the step is a bijection of the key for a given
 * prefix); different prefixes meet with the probability of 64-bit hashes: among a million contexts
 * about 3 in 10^8.
 */
#ifndef TRACESNAP_REGION_HASH_H
#define TRACESNAP_REGION_HASH_H

#include <stdint.h>

#define TS_HASH_ROOT UINT64_C(0x9e3779b97f4a7c15)

/* The finalizer of MurmurHash3 (public domain, Austin Appleby): a bijection of 64 bits. */
static inline uint64_t ts_hash_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    x ^= x >> 33;
    return x;
}

/*
 * One frame further. The key is spread by a multiplication that does not wait for the prefix, so
 * that the chain from frame to frame is one multiplication, one rotation and one addition long.
 */
static inline uint64_t ts_hash_step(uint64_t prefix, uint64_t key)
{
    uint64_t spread = key * UINT64_C(0xbf58476d1ce4e5b9);
    uint64_t x = (prefix ^ spread ^ (spread >> 32)) * UINT64_C(0x94d049bb133111eb);
    return x << 29 | x >> 35;
}

/* The value under which tables file a path: never 0, which means an empty slot. */
static inline uint64_t ts_hash_final(uint64_t prefix)
{
    uint64_t x = ts_hash_mix(prefix);
    return x != 0 ? x : 1;
}

#endif
