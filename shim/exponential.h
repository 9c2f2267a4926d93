/*
 * The arithmetic of sampling, in integers alone: a program may have changed how its processor
 * rounds, trap what is inexact, or look at the flag of it. Nothing here depends on anything; the
 * unit test compares it with libm.
 */
#ifndef TRACESNAP_SHIM_EXPONENTIAL_H
#define TRACESNAP_SHIM_EXPONENTIAL_H

#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

#define EXPONENTIAL_MEAN_MAX (UINT64_C(1) << 40)

/* Weights have 32 bits after the point. */
#define EXPONENTIAL_ONE (UINT64_C(1) << 32)

#define EXPONENTIAL_LOG_BITS 40
#define EXPONENTIAL_LN2 UINT64_C(0xb17217f7d1cf79ab) /* ln 2, 64 bits after the point */
#define EXPONENTIAL_CERTAIN 45                       /* exp(-45) is less than the last bit of 64 */

/*
 * -log2(r / 2^64) for r > 0, with 40 bits after the point: one bit for each squaring of the
 * mantissa. A squaring loses at most 2^-63 of it, and what is lost in the k-th counts 2^-k: in all
 * less than 2^-61, so that only the cut after 40 bits is felt.
 */
static inline uint64_t exponential_log(uint64_t r)
{
    unsigned zeros = (unsigned)__builtin_clzll(r);
    uint64_t mantissa = r << zeros, log = 0; /* in [1, 2), 63 bits after the point */
    for (int i = 0; i < EXPONENTIAL_LOG_BITS; i++) {
        uint128 square = (uint128)mantissa * mantissa;
        unsigned two = (unsigned)(square >> 127);
        mantissa = (uint64_t)(square >> (63 + two));
        log = log << 1 | two;
    }
    return ((uint64_t)(zeros + 1) << EXPONENTIAL_LOG_BITS) - log;
}

/*
 * The byte, counted from 1, in which the next point of a Poisson process falls that has one point
 * in `mean` bytes (1 to EXPONENTIAL_MEAN_MAX): mean * -ln(r / 2^64), rounded up. r: random, not 0.
 * That it is at most n has the probability 1 - exp(-n / mean) for every whole n.
 */
static inline uint64_t exponential_gap(uint64_t mean, uint64_t r)
{
    uint64_t log = exponential_log(r) << 16; /* 56 bits after the point, at most 64 before */
    uint64_t natural = (uint64_t)((uint128)log * EXPONENTIAL_LN2 >> 64);
    return (uint64_t)((uint128)natural * mean >> (EXPONENTIAL_LOG_BITS + 16)) + 1;
}

/*
 * 1 / (1 - exp(-size / mean)) for size > 0; the error is less than 10^-8 of it. Up to size = mean /
 * 2 by the series 1/x + 1/2 + x/12 - x^3/720 + x^5/30240 (Bernoulli's numbers), whose next term is
 * smaller than that; beyond, from the half: w(2x) = w(x)^2 / (2 w(x) - 1), which makes a relative
 * error no larger.
 */
static inline uint128 exponential_weight(uint64_t mean, uint64_t size)
{
    unsigned halvings = 0;
    if (size / mean >= EXPONENTIAL_CERTAIN)
        return EXPONENTIAL_ONE;
    while (2 * size > mean << halvings)
        halvings++;
    mean <<= halvings;
    uint64_t x = (uint64_t)(((uint128)size << 32) / mean);
    uint64_t cube = (uint64_t)((uint128)x * x * x >> 64);
    uint64_t fifth = (uint64_t)((uint128)cube * x * x >> 64);
    uint128 weight =
        ((uint128)mean << 32) / size + EXPONENTIAL_ONE / 2 + x / 12 - cube / 720 + fifth / 30240;
    for (; halvings > 0; halvings--)
        weight = weight * weight / (2 * weight - EXPONENTIAL_ONE);
    return weight;
}

#endif
