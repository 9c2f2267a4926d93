/*
 * Sampling: of all allocations, those are recorded into which a point of a Poisson process along
 * the allocated bytes falls, one point in options.sample bytes on average. A block of s bytes is
 * recorded with the probability p = 1 - exp(-s / sample) and then stands for 1 / p blocks of its
 * size. (A block of 0 bytes counts as 1 here: it has a probability, too.)
 *
 * Each thread has its own process: the bytes to its next point are thread->sample_left. The gaps
 * are exponential, hence without memory: where a gap is thrown away and drawn anew, for whatever
 * reason but its own length, nothing is biased.
 *
 * What a block stands for is 1 / p and size / p, rounded up or down by chance, so that whole
 * numbers are right on average; and it must be taken off again to the byte when the block is
 * freed. Therefore the two roundings are kept with the block, as bits of its context's number, and
 * the rest follows from its size. (A rounding made by a hash of the address would not do: a program
 * that gets the same address a million times would have it rounded the same way a million times.)
 *
 * Whether a block was recorded is asked of a filter before it is asked of the index: counters of
 * the recorded blocks by address, a KiB of addresses to each, so that neighbouring blocks ask
 * neighbouring counters. At 0 there is none. Only the recorded ones change them, by
 * compare-and-swap; one that reaches 255 stays there. A thread that frees a block finds it counted:
 * it was counted before malloc returned it, and whoever passed it on did so after that. A false
 * alarm costs a look at the index.
 */
#ifndef TRACESNAP_SHIM_SAMPLE_H
#define TRACESNAP_SHIM_SAMPLE_H

#include "shim/index.h"

/* In block.context of a sampled block: count and size are to be rounded up. */
#define SAMPLE_COUNT_UP (1u << 24)
#define SAMPLE_SIZE_UP (1u << 23)
#define SAMPLE_CONTEXT_MASK (SAMPLE_SIZE_UP - 1)
_Static_assert(TS_CONTEXTS_LIMIT <= SAMPLE_SIZE_UP, "contexts leave room for the roundings");
_Static_assert(SAMPLE_COUNT_UP < 1u << SHADOW_CONTEXT_BITS, "the index leaves room for them");

#define SAMPLE_FILTER_SIZE 65536u
extern uint8_t sample_filter[SAMPLE_FILTER_SIZE];

/* Before the first allocation is recorded; in a forked child, which must not sample as its parent
 * does. */
void sample_start(void);
void sample_forked(struct thread *thread);

/* Whether this allocation is to be recorded; if so, the next gap has begun. */
bool sample_decide(struct thread *thread, size_t size);

/* The roundings of a block about to be recorded. */
uint32_t sample_roundings(struct thread *thread, size_t size);

/* What a sampled block stands for. */
struct ts_pair sample_worth(const struct block *block);

/* Counts a block that is in the index from now on, or is no more. */
void sample_enlist(const void *address);
void sample_delist(const void *address);

/* False: no point falls into an allocation of this size. The bytes are passed then. */
static inline bool sample_passes(struct thread *thread, size_t size)
{
    uint64_t bytes = size + (size == 0);
    /* One load, one store: a signal handler's allocation in between must not make it wrap. */
    uint64_t left = ts_load_relaxed(&thread->sample_left);
    if (__builtin_expect(bytes >= left, 0))
        return false;
    ts_store_relaxed(&thread->sample_left, left - bytes);
    return true;
}

static inline uint8_t *sample_counter(const void *address)
{
    uintptr_t kib = (uintptr_t)address >> 10;
    return &sample_filter[(kib ^ kib >> 16) % SAMPLE_FILTER_SIZE];
}

/* False: the block was not recorded. */
static inline bool sample_may_know(const void *address)
{
    return __builtin_expect(ts_load_relaxed(sample_counter(address)) != 0, 0);
}

#endif
