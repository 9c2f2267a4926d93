/*
 * Sampling: gaps, roundings and the filter. See sample.h.
 */
#include "shim/sample.h"
#include "region/hash.h"
#include "shim/exponential.h"
#include "shim/options.h"
#include "shim/system.h"

#include <sys/auxv.h>

#define STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio: the step of SplitMix64 */
#define STICKY 255

_Static_assert(TS_SAMPLE_MAX <= EXPONENTIAL_MEAN_MAX, "gaps and weights are right up to there");

uint8_t sample_filter[SAMPLE_FILTER_SIZE] __attribute__((aligned(64)));

static uint64_t seed;           /* of the process */
static uint64_t threads_seeded; /* a thread's sequence begins where seed and its number say */

void sample_start(void)
{
    /* The kernel's gift to each new program: no system call. */
    const uint64_t *gift = (const uint64_t *)getauxval(AT_RANDOM);
    seed = ts_hash_mix((gift != NULL ? gift[0] ^ gift[1] * STEP : 0) +
                       sys_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE));
}

void sample_forked(struct thread *thread)
{
    seed = ts_hash_mix(seed + ((uint64_t)sys_getpid() << 32) +
                       sys_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE));
    thread->sample_random = 0;
    thread->sample_left = 0;
}

/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t draw(struct thread *thread)
{
    if (thread->sample_random == 0)
        thread->sample_random =
            ts_hash_mix(seed + STEP * (ts_add_relaxed(&threads_seeded, 1) + 1)) | 1;
    thread->sample_random += STEP;
    return ts_hash_mix(thread->sample_random);
}

static void draw_gap(struct thread *thread)
{
    uint64_t random = draw(thread);
    thread->sample_left = exponential_gap(options.sample, random != 0 ? random : 1);
}

bool sample_decide(struct thread *thread, size_t size)
{
    if (thread->sample_left == 0)
        draw_gap(thread);
    if (sample_passes(thread, size))
        return false;
    draw_gap(thread);
    return true;
}

/* What a block of this size stands for, with 32 bits after the point: blocks and bytes. */
static uint128 count_of(size_t size)
{
    return exponential_weight(options.sample, size + (size == 0));
}

static uint128 size_of(size_t size)
{
    return count_of(size) * size;
}

uint32_t sample_roundings(struct thread *thread, size_t size)
{
    uint32_t chance = (uint32_t)(draw(thread) >> 32);
    bool count_up = (uint32_t)count_of(size) > chance;
    bool size_up = (uint32_t)size_of(size) > chance;
    return (count_up ? SAMPLE_COUNT_UP : 0) | (size_up ? SAMPLE_SIZE_UP : 0);
}

struct ts_pair sample_worth(const struct block *block)
{
    return (struct ts_pair){
        .count = (uint64_t)(count_of(block->size) >> 32) + !!(block->context & SAMPLE_COUNT_UP),
        .size = (uint64_t)(size_of(block->size) >> 32) + !!(block->context & SAMPLE_SIZE_UP)};
}

static void change(const void *address, uint8_t by)
{
    uint8_t *counter = sample_counter(address), old = ts_load_relaxed(counter);
    do {
        if (old == STICKY)
            return;
    } while (!ts_cas_acq_rel(counter, &old, (uint8_t)(old + by)));
}

void sample_enlist(const void *address)
{
    change(address, 1);
}

void sample_delist(const void *address)
{
    change(address, (uint8_t)-1);
}
