/*
 * What the parts of the tree share. A strand is one stack (a thread's or a coroutine's) on which
 * functions compiled in many ways call each other as its script says, and allocate at the
 * innermost. Each function enters its own return address in the strand's shadow: what the program
 * knows of its stack comes from no unwinder. books.c compares notes with the tracer by it.
 */
#ifndef TRACESNAP_TESTS_WALK_STRAND_H
#define TRACESNAP_TESTS_WALK_STRAND_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define SHADOW_MAX 4096
#define LEVELS 1300
#define NOINLINE __attribute__((noinline, noclone))

struct strand;
struct worker;
struct entry;

/* A block that is alive, and the context that it was allocated by. */
struct block {
    void *address;
    size_t size;
    struct entry *entry;
};

typedef long node(struct strand *s, long level);

/* One level of a script: which function, called from which of its caller's places, with a frame of
 * which size where the function has any choice. */
struct step {
    uint16_t function;
    uint8_t site, size;
};

/*
 * What a script is made of (nodes.h). Sober: frames that a tracer may remember. Odd, uncharted:
 * these as well, and signals. Mixed: both and bare ones, which all a tracer can do is guess about.
 */
enum mood { MOOD_SOBER, MOOD_ODD, MOOD_UNCHARTED, MOOD_MIXED };

enum how { HOW_MALLOC, HOW_CALLOC, HOW_REALLOC, HOW_ALIGNED, HOW_SITE };

#define MEMORIES 8

struct memory {
    struct step script[LEVELS];
    long last;
    enum mood mood;
};

struct strand {
    /* Addresses to look up, outermost first: one less than a return address, or an interrupted pc.
     * The first two members are known to asm.S. */
    long depth;
    uintptr_t shadow[SHADOW_MAX];
    struct step script[LEVELS];
    long last;   /* the level that allocates next */
    long target; /* the level to which the stack goes back after that; -1 = the end */
    enum how how;
    size_t size;       /* of the next block */
    struct block *old; /* to be moved by HOW_REALLOC */
    int site;          /* of HOW_SITE */
    int hurry;         /* so many blocks in a row from one place, each by another site */
    long steps;        /* still to do */
    uint64_t random;
    struct worker *worker;
    const char *root; /* the function in which the stack begins */
    long level_max;
    enum mood mood;
    long alternate; /* handlers under way on the alternate signal stack */

    struct {
        bool set, catches; /* a longjmp, or exception, from anywhere below may go there */
        long depth, alternate;
        jmp_buf at;
    } landing[LEVELS];

    struct memory memory[MEMORIES]; /* scripts that come back */
    long signal_level;
    uintptr_t interrupted;
    long sender[2]; /* pid, tid */
};

/* script.c, books.c, events.c: called from the innermost function, hence below everything of
 * interest. */
node *node_at(const struct strand *s, long level);
void acted(struct strand *s, long level, const char *where, void *address);
int next_signal(struct strand *s, long level);

/* nodes.c's most ordinary function, and the same for callers in asm.S, whose entry it takes back,
 * too. */
long go(struct strand *s, long level);
long go_below(struct strand *s, long level);

/* asm.S: functions that differ only in where they call malloc, SITE_STEP from each other. Each
 * enters its return address; acted() takes it out. */
#define SITES 256
#define SITE_STEP 64
extern char call_sites[], call_site_return[]; /* the latter: of the last one */
#define CALL_SITE_AT(number)                                                                       \
    ((void *(*)(struct strand *, size_t))(call_sites + SITE_STEP * (size_t)(number)))

#define PUSH(address) (s->shadow[s->depth++] = (uintptr_t)(address))
#define ENTER PUSH((uintptr_t)__builtin_return_address(0) - 1)
#define LEAVE (s->depth--, 0L)

#define INLINE static inline __attribute__((always_inline))

/* Distinct code after each call keeps the compiler from making one of all. */
#define CALL_SITE(n)                                                                               \
    case n:                                                                                        \
        child(s, level + 1);                                                                       \
        __asm__ volatile("nopl " #n "(%%rax)" ::: "memory");                                       \
        break;

INLINE void descend(struct strand *s, long level)
{
    node *child = node_at(s, level + 1);
    switch (s->script[level + 1].site) {
        CALL_SITE(0)
        CALL_SITE(1)
        CALL_SITE(2)
        CALL_SITE(3)
    }
}

INLINE void allocate(struct strand *s, long level, const char *where)
{
    void *p;
    switch (s->how) {
    case HOW_CALLOC: p = calloc(1, s->size); break;
    case HOW_REALLOC: p = realloc(s->old->address, s->size); break;
    case HOW_ALIGNED: p = aligned_alloc(64, s->size); break;
    case HOW_SITE: p = CALL_SITE_AT(s->site)(s, s->size); break;
    default: p = malloc(s->size);
    }
    acted(s, level, where, p);
}

/* What every function does: allocate or go further down, until the stack is to go back beyond it.
 */
INLINE void go_on(struct strand *s, long level, const char *where)
{
    do {
        if (level == s->last)
            allocate(s, level, where);
        else
            descend(s, level);
    } while (s->target == level);
}

INLINE uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (public domain) */
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

INLINE uint32_t below(struct strand *s, uint32_t bound)
{
    return (uint32_t)(random_next(&s->random) >> 33) % bound;
}

#endif
