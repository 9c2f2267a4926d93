/*
 * A thread that allocates, frees and resizes without end, by many stacks, its own blocks and those
 * of the other threads, and keeps books of it (books.h).
 */
#ifndef TRACESNAP_TESTS_PROCESS_WORKER_H
#define TRACESNAP_TESTS_PROCESS_WORKER_H

#include "tests/faults/fault.h"
#include "tests/faults/process/books.h"

#include <stdint.h>

#define WORKER_SLOTS 64u
#define WORKER_DEPTH 9u

/* Begins every block. */
struct worker_tag {
    uint32_t size, owner;
};

struct worker {
    struct book *book;
    unsigned owner;
    uint64_t random;
    void *slots[WORKER_SLOTS];
    void **exchange; /* WORKER_SLOTS places that all workers share; by atomic exchange */
    const int *state; /* enum worker_state */
};

enum worker_state { WORKER_WORKS, WORKER_WAITS, WORKER_ENDS };

static uint64_t worker_random(struct worker *worker)
{
    uint64_t x = worker->random;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return worker->random = x;
}

/* The block `old` is resized, or a new one made; of the owner's, whose function is the frame. */
static inline __attribute__((always_inline)) void *worker_make(struct worker *worker, void *old,
                                                               size_t size)
{
    struct worker_tag *tag = old;
    uint64_t word = tag == NULL ? book_word(OPERATION_ALLOCATE, 0, 0, worker->owner, size)
                                : book_word(OPERATION_RESIZE, tag->owner, tag->size, worker->owner,
                                            size);
    book_begin(worker->book, word);
    tag = tag == NULL ? malloc(size) : realloc(tag, size);
    book_end(worker->book);
    FAULT_TRUE(tag != NULL);
    *tag = (struct worker_tag){(uint32_t)size, worker->owner};
    return fault_opaque(tag);
}

static void worker_free(struct worker *worker, void *block)
{
    struct worker_tag *tag = block;
    if (tag == NULL)
        return;
    book_begin(worker->book, book_word(OPERATION_FREE, tag->owner, tag->size, 0, 0));
    free(tag);
    book_end(worker->book);
}

/*
 * A pair of functions for each owner: the frames of its blocks lie in them. The bits of path say
 * who calls whom. In a section of their own, whose bounds the linker tells.
 */
#define WORKER_FUNCTIONS(n)                                                                        \
    static __attribute__((noipa, section("owner_text" #n))) void *worker_left##n(                 \
        struct worker *worker, void *old, size_t size, uint64_t path, unsigned depth);             \
    static __attribute__((noipa, section("owner_text" #n))) void *worker_right##n(                \
        struct worker *worker, void *old, size_t size, uint64_t path, unsigned depth)              \
    {                                                                                              \
        void *block = depth == 0 ? worker_make(worker, old, size)                                  \
                                 : worker_left##n(worker, old, size, path >> 1, depth - 1);        \
        return fault_opaque(block);                                                                \
    }                                                                                              \
    static void *worker_left##n(struct worker *worker, void *old, size_t size, uint64_t path,      \
                                unsigned depth)                                                    \
    {                                                                                              \
        void *block = depth == 0 ? worker_make(worker, old, size)                                  \
                      : path & 1 ? worker_left##n(worker, old, size, path >> 1, depth - 1)         \
                                 : worker_right##n(worker, old, size, path >> 1, depth - 1);       \
        return fault_opaque(block);                                                                \
    }
WORKER_FUNCTIONS(0)
WORKER_FUNCTIONS(1)
WORKER_FUNCTIONS(2)
WORKER_FUNCTIONS(3)

typedef void *worker_function(struct worker *, void *, size_t, uint64_t, unsigned);
static worker_function *const worker_functions[BOOKS_OWNERS] = {worker_left0, worker_left1,
                                                                worker_left2, worker_left3};
static worker_function *const worker_others[BOOKS_OWNERS] = {worker_right0, worker_right1,
                                                             worker_right2, worker_right3};

static void worker_step(struct worker *worker)
{
    uint64_t random = worker_random(worker);
    void **slot = &worker->slots[random % WORKER_SLOTS];
    size_t size = sizeof(struct worker_tag) + (random >> 10) % 600;
    if ((random >> 20) % 64 == 0)
        size = 30000 + (random >> 30) % 20000; /* large blocks are filed elsewhere */
    switch (random >> 60 & 3) {
    case 0:
        worker_free(worker, *slot);
        *slot = NULL;
        break;
    case 1:
        *slot = __atomic_exchange_n(&worker->exchange[random >> 40 & (WORKER_SLOTS - 1)], *slot,
                                    __ATOMIC_ACQ_REL);
        break;
    default:
        *slot = worker_functions[worker->owner](worker, *slot, size, random >> 32,
                                                (unsigned)(random >> 50) % WORKER_DEPTH);
    }
}

static void *worker_run(void *argument)
{
    struct worker *worker = argument;
    for (int state; (state = __atomic_load_n(worker->state, __ATOMIC_ACQUIRE)) != WORKER_ENDS;) {
        if (state == WORKER_WORKS)
            worker_step(worker);
        else
            usleep(200);
    }
    return NULL;
}

#endif
