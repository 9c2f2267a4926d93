/*
 * A program in full flight, to be read from outside: threads that allocate, free, resize and hand
 * over at the same time, in many contexts, with a total that grows and shrinks and a peak that
 * keeps moving. It keeps its own books in a page that the reader maps, too, and stops at command.
 * What it does depends on nothing but each thread's own sequence of numbers.
 *
 *     writer PAGE-FILE
 */
#include "tests/live/writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 200u
#define WAVE_BLOCKS 600u
#define WAVE_FIRST 20u /* blocks of the first wave */
#define BATCH 64u      /* operations between two looks at `stopped` */
#define NOINLINE __attribute__((noinline))
/* Keeps the call before it from becoming a jump: its frame must be there. */
#define STAY() __asm__ volatile("" ::: "memory")

/* Begins every block: whether, and how, it stands in the books. */
struct tag {
    uint32_t size;
    uint32_t generation;
    uint32_t recorded;
};

struct worker {
    struct books *books;
    uint64_t random;
    uint64_t operations;
    struct tag *slots[SLOTS];
    struct tag *steady[STEADY_BLOCKS];
    uint32_t next_steady;
    struct tag *wave[WAVE_BLOCKS];
    uint32_t wave_count, wave_target;
    bool wave_grows;
    pthread_t thread;
};

static struct writer_page *page;
static struct worker workers[WRITER_THREADS];
static _Atomic(struct tag *) exchange[EXCHANGE_BLOCKS];
static atomic_uint stopped, parked;

static uint64_t next_random(struct worker *worker)
{
    uint64_t x = worker->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return worker->random = x;
}

static uint64_t below(struct worker *worker, uint64_t limit)
{
    return (next_random(worker) >> 20) % limit;
}

/* After the call that allocated. */
static struct tag *book(struct worker *worker, void *block, size_t size)
{
    struct tag *tag = block;
    if (tag == NULL)
        abort();
    *tag = (struct tag){(uint32_t)size, page->generation, page->recording};
    if (tag->recorded) {
        __atomic_store_n(&worker->books->allocated_size, worker->books->allocated_size + size,
                         __ATOMIC_RELAXED);
        __atomic_store_n(&worker->books->allocated_count, worker->books->allocated_count + 1,
                         __ATOMIC_RELAXED);
    }
    uint64_t live = __atomic_add_fetch(&page->live, size, __ATOMIC_RELAXED);
    uint64_t peak = __atomic_load_n(&page->peak, __ATOMIC_RELAXED);
    while (live > peak && !__atomic_compare_exchange_n(&page->peak, &peak, live, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return tag;
}

/* Before the call that frees. */
static void *strike(struct worker *worker, struct tag *tag)
{
    if (tag->recorded && tag->generation == page->generation) {
        __atomic_store_n(&worker->books->freed_size, worker->books->freed_size + tag->size,
                         __ATOMIC_RELAXED);
        __atomic_store_n(&worker->books->freed_count, worker->books->freed_count + 1,
                         __ATOMIC_RELAXED);
    }
    __atomic_sub_fetch(&page->live, tag->size, __ATOMIC_RELAXED);
    return tag;
}

static void drop(struct worker *worker, struct tag *tag)
{
    if (tag != NULL)
        free(strike(worker, tag));
}

/* Many contexts: the bits of `path` say which of two functions calls which, `depth` levels deep. */
static NOINLINE struct tag *left(struct worker *worker, struct tag *old, uint64_t path,
                                 unsigned depth);
static NOINLINE struct tag *right(struct worker *worker, struct tag *old, uint64_t path,
                                  unsigned depth);

static struct tag *step(struct worker *worker, struct tag *old, uint64_t path, unsigned depth)
{
    size_t size = sizeof(struct tag) + (size_t)below(worker, WRITER_MIXED_MAX - 64);
    if (depth != 0)
        return path & 1 ? left(worker, old, path >> 1, depth - 1)
                        : right(worker, old, path >> 1, depth - 1);
    if (old != NULL)
        return book(worker, realloc(strike(worker, old), size), size);
    if (path & 1)
        return book(worker, calloc(1, size), size);
    if (path & 2) {
        size = (size + 63) & ~(size_t)63;
        return book(worker, aligned_alloc(64, size), size);
    }
    return book(worker, malloc(size), size);
}

static NOINLINE struct tag *left(struct worker *worker, struct tag *old, uint64_t path,
                                 unsigned depth)
{
    struct tag *tag = step(worker, old, path, depth);
    STAY();
    return tag;
}

static NOINLINE struct tag *right(struct worker *worker, struct tag *old, uint64_t path,
                                  unsigned depth)
{
    struct tag *tag = step(worker, old, path, depth);
    STAY();
    return tag;
}

/* The tree of contexts keeps growing while it is read. */
static void mixed(struct worker *worker)
{
    uint64_t slot = below(worker, SLOTS), grown = worker->operations >> 16;
    unsigned depth = (unsigned)below(worker, 4 + (grown < 5 ? grown : 5));
    if (worker->slots[slot] != NULL && next_random(worker) & 64) {
        drop(worker, worker->slots[slot]);
        worker->slots[slot] = NULL;
    } else {
        worker->slots[slot] = left(worker, worker->slots[slot], next_random(worker) >> 8, depth);
    }
}

static NOINLINE struct tag *new_steady(struct worker *worker)
{
    return book(worker, malloc(WRITER_STEADY), WRITER_STEADY);
}

static void replace_steady(struct worker *worker)
{
    struct tag **place = &worker->steady[worker->next_steady++ % STEADY_BLOCKS], *old = *place;
    *place = new_steady(worker);
    drop(worker, old);
}

static NOINLINE struct tag *new_exchange(struct worker *worker)
{
    return book(worker, malloc(WRITER_EXCHANGE), WRITER_EXCHANGE);
}

static void hand_over(struct worker *worker, uint64_t place)
{
    drop(worker, atomic_exchange(&exchange[place], new_exchange(worker)));
}

static NOINLINE void brief(struct worker *worker)
{
    drop(worker, book(worker, malloc(WRITER_BRIEF), WRITER_BRIEF));
    STAY();
}

/* Each wave is higher than the one before: so the peak moves until WAVE_BLOCKS. */
static NOINLINE void wave(struct worker *worker)
{
    if (worker->wave_grows) {
        size_t size =
            WRITER_WAVE_MIN + (size_t)below(worker, WRITER_WAVE_MAX - WRITER_WAVE_MIN);
        worker->wave[worker->wave_count++] = book(worker, malloc(size), size);
        worker->wave_grows = worker->wave_count < worker->wave_target;
    } else if (worker->wave_count > 0) {
        drop(worker, worker->wave[--worker->wave_count]);
    } else {
        worker->wave_grows = true;
        if (worker->wave_target < WAVE_BLOCKS)
            worker->wave_target++;
    }
    STAY();
}

static void operate(struct worker *worker)
{
    worker->operations++;
    switch (next_random(worker) >> 61) {
    case 0:
    case 1:
        mixed(worker);
        break;
    case 2:
        replace_steady(worker);
        break;
    case 3:
    case 4:
        hand_over(worker, below(worker, EXCHANGE_BLOCKS));
        break;
    case 5:
        brief(worker);
        break;
    default:
        wave(worker);
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    size_t number = (size_t)(worker - workers);
    for (uint32_t i = 0; i < STEADY_BLOCKS; i++)
        worker->steady[i] = new_steady(worker);
    for (uint64_t i = number; i < EXCHANGE_BLOCKS; i += WRITER_THREADS)
        hand_over(worker, i);
    __atomic_add_fetch(&page->filled, 1, __ATOMIC_RELEASE);
    for (;;) {
        for (unsigned i = 0; i < BATCH; i++)
            operate(worker);
        if (!atomic_load(&stopped))
            continue;
        atomic_fetch_add(&parked, 1);
        while (atomic_load(&stopped))
            usleep(200);
        atomic_fetch_sub(&parked, 1);
    }
    return NULL;
}

static void stop_all(void)
{
    atomic_store(&stopped, 1);
    while (atomic_load(&parked) != WRITER_THREADS)
        sched_yield();
}

static void go_on(void)
{
    atomic_store(&stopped, 0);
    while (atomic_load(&parked) != 0)
        sched_yield();
}

static void obey(char command)
{
    if (command == 'q')
        stop_all();
    else if (command == 'g')
        go_on();
    else if (command == 'p' || command == 'r')
        page->recording = command == 'r';
    else if (command == 'c') {
        memset(page->books, 0, sizeof(page->books));
        page->generation++;
    }
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
    char command;
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return 1;
    close(fd);
    page->recording = 1;
    for (unsigned i = 0; i < WRITER_THREADS; i++) {
        workers[i].books = &page->books[i];
        workers[i].random = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        workers[i].wave_target = WAVE_FIRST;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    }
    while (read(0, &command, 1) == 1) {
        obey(command);
        if (write(1, &command, 1) != 1)
            return 1;
    }
    return 0;
}
