/*
 * What the writer and the tests that read its region share: the sizes by which a test knows a
 * context of the writer, and the page in which the writer keeps its own books. The page outlives
 * the writer.
 */
#ifndef TRACESNAP_TESTS_LIVE_WRITER_H
#define TRACESNAP_TESTS_LIVE_WRITER_H

#include <stdint.h>

#define WRITER_THREADS 4u

/*
 * Blocks of these sizes come from one context each, and nothing else in the writer has an average
 * size between WRITER_MIXED_MAX and WRITER_WAVE_MIN.
 */
#define WRITER_MIXED_MAX 1024u /* bytes: blocks of many contexts are smaller */
#define WRITER_STEADY 4099u    /* each thread has STEADY_BLOCKS, replaced: malloc, then free */
#define WRITER_EXCHANGE 4111u  /* EXCHANGE_BLOCKS in all; mostly freed by another thread */
#define WRITER_BRIEF 4127u     /* malloc, free */
#define WRITER_WAVE_MIN 8192u  /* bytes: blocks of growing and shrinking lists are larger */
#define WRITER_WAVE_MAX 40000u

#define STEADY_BLOCKS 50u
#define EXCHANGE_BLOCKS 100u

/* A thread's own counts of recorded blocks (`generation`, `recording`). Writer: the thread. */
struct books {
    uint64_t allocated_count, allocated_size;
    uint64_t freed_count, freed_size;
} __attribute__((aligned(64)));

struct writer_page {
    struct books books[WRITER_THREADS];
    uint64_t live __attribute__((aligned(64))); /* bytes, all threads; atomic */
    uint64_t peak;       /* most that `live` ever was */
    uint32_t generation; /* blocks of another one are no longer in the books */
    uint32_t recording;  /* 0: new blocks do not enter the books */
    uint32_t filled;     /* threads whose steady and exchanged blocks are there */
};

/*
 * Commands, one byte each on standard input; each is answered by the same byte on standard output
 * once it is in force. The program begins at work and ends with standard input.
 *   q  stop all threads    g  let them go on
 *   c  the books forget all (to be sent when the threads are stopped)
 *   p  new blocks stay out of the books    r  they enter again (when the threads are stopped)
 */

#endif
