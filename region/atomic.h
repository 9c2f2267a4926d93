/*
 * Atomic accesses whose memory order stands in the name, so that a reader sees the protocol at the
 * call. They work on any integer or pointer lvalue of 1 to 8 bytes; struct ts_pair (two 64-bit
 * words that belong together) has accesses of its own.
 */
#ifndef TRACESNAP_REGION_ATOMIC_H
#define TRACESNAP_REGION_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define ts_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define ts_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define ts_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define ts_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define ts_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define ts_add_acq_rel(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define ts_or_acq_rel(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define ts_and_acq_rel(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
#define ts_exchange_acq_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
/* Strong compare-and-swap; on failure *expected holds what was found. */
#define ts_cas_acq_rel(p, expected, v)                                                             \
    __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define ts_fence_seq_cst() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/*
 * A count and the bytes that belong to it. One writer updates a pair; a reader in another process
 * must never see the count of one moment with the bytes of the next. On x86-64 an aligned 16-byte
 * SSE move is one access on every processor with AVX (documented by Intel and AMD as a guarantee);
 * elsewhere the halves may be torn apart by one allocation, never more.
 */
struct ts_pair {
    uint64_t count;
    uint64_t size;
} __attribute__((aligned(16)));

#if defined(__x86_64__)
#include <emmintrin.h>

static inline struct ts_pair ts_pair_load(const struct ts_pair *p)
{
    union {
        __m128i v;
        struct ts_pair pair;
    } u;
    __asm__ volatile("movdqa %1, %0" : "=x"(u.v) : "m"(*p) : "memory");
    return u.pair;
}

static inline void ts_pair_store(struct ts_pair *p, struct ts_pair value)
{
    __m128i v = _mm_set_epi64x((long long)value.size, (long long)value.count);
    __asm__ volatile("movdqa %1, %0" : "=m"(*p) : "x"(v) : "memory");
}

/* Adds to a pair of which the caller is the only writer. */
static inline void ts_pair_add(struct ts_pair *p, struct ts_pair change)
{
    __m128i v = _mm_set_epi64x((long long)change.size, (long long)change.count);
    v = _mm_add_epi64(v, *(const __m128i *)p);
    __asm__ volatile("movdqa %1, %0" : "=m"(*p) : "x"(v) : "memory");
}

#else

static inline struct ts_pair ts_pair_load(const struct ts_pair *p)
{
    struct ts_pair value = {ts_load_acquire(&p->count), ts_load_acquire(&p->size)};
    return value;
}

static inline void ts_pair_store(struct ts_pair *p, struct ts_pair value)
{
    ts_store_release(&p->count, value.count);
    ts_store_release(&p->size, value.size);
}

static inline void ts_pair_add(struct ts_pair *p, struct ts_pair change)
{
    ts_pair_store(p, (struct ts_pair){p->count + change.count, p->size + change.size});
}

#endif

/*
 * An x86-64 processor neither reorders a load with an earlier load nor a store with an earlier
 * store, so ts_pair_load acquires and ts_pair_store releases there, too.
 */

#endif
