/*
 * Books that a thread keeps of its own allocations, and that are right at each instant, also when
 * the process is killed or forked there: the counts, and the operation that the thread is in.
 *
 * A thread has two copies of its counts, and one word that says which of them holds and which
 * operation has begun: the word alone is stored to change both. What is seen of a thread at some
 * instant is the state before or after that operation, or between the two halves of a realloc.
 * No locks, no allocation; pages of any kind.
 */
#ifndef TRACESNAP_TESTS_PROCESS_BOOKS_H
#define TRACESNAP_TESTS_PROCESS_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#define BOOKS_OWNERS 4u /* threads whose blocks are told apart; any of them frees any block */
#define BOOKS_OUTCOMES 3u

struct counts {
    uint64_t allocated_count[BOOKS_OWNERS], allocated_size[BOOKS_OWNERS];
    uint64_t freed_count[BOOKS_OWNERS], freed_size[BOOKS_OWNERS];
};

enum operation { OPERATION_NONE, OPERATION_ALLOCATE, OPERATION_FREE, OPERATION_RESIZE };

/*
 * The word: bit 0 the valid copy; bits 1-2 the operation; bits 3-4 and 5-6 the owners of the block
 * that is freed and of the one that is allocated; then two sizes of 28 bits, freed and allocated.
 */
struct book {
    uint64_t word;
    struct counts copies[2];
} __attribute__((aligned(64)));

static inline uint64_t book_word(enum operation operation, unsigned from, uint64_t freed,
                                 unsigned to, uint64_t allocated)
{
    return (uint64_t)operation << 1 | (uint64_t)from << 3 | (uint64_t)to << 5 | freed << 8 |
           allocated << 36;
}

static inline void counts_free(struct counts *counts, unsigned owner, uint64_t size)
{
    counts->freed_count[owner]++;
    counts->freed_size[owner] += size;
}

static inline void counts_allocate(struct counts *counts, unsigned owner, uint64_t size)
{
    counts->allocated_count[owner]++;
    counts->allocated_size[owner] += size;
}

/* What the operation of `word` does, as far as outcome 0 (nothing), 1 or 2 (all of a resize). */
static inline bool counts_apply(struct counts *counts, uint64_t word, unsigned outcome)
{
    enum operation operation = (enum operation)(word >> 1 & 3);
    if (outcome > (operation == OPERATION_NONE ? 0u : operation == OPERATION_RESIZE ? 2u : 1u))
        return false;
    if (outcome >= 1 && operation != OPERATION_ALLOCATE)
        counts_free(counts, word >> 3 & 3, word >> 8 & 0xfffffff);
    if (outcome >= 1 && operation != OPERATION_FREE &&
        (operation == OPERATION_ALLOCATE || outcome == 2))
        counts_allocate(counts, word >> 5 & 3, word >> 36);
    return true;
}

/* Before the call. */
static inline void book_begin(struct book *book, uint64_t word)
{
    __atomic_store_n(&book->word, (book->word & 1) | word, __ATOMIC_SEQ_CST);
}

/* After it. */
static inline void book_end(struct book *book)
{
    uint64_t word = book->word, valid = word & 1;
    struct counts *next = &book->copies[1 - valid];
    *next = book->copies[valid];
    counts_apply(next, word, (word >> 1 & 3) == OPERATION_RESIZE ? 2 : 1);
    __atomic_store_n(&book->word, 1 - valid, __ATOMIC_SEQ_CST);
}

static inline const struct counts *book_counts(const struct book *book)
{
    return &book->copies[book->word & 1];
}

#endif
