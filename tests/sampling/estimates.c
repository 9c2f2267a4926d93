/*
 * Allocates from many places in sizes and numbers that are known, and says them: a line
 * "PLACE SIZE ALLOCATED LIVE" for each size of each place, where PLACE is the function that calls
 * the allocator. Usage: estimates tiny|small|large|crossing|freed
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX (1u << 21)
#define PLACE __attribute__((noinline, noclone))

static void *kept[KEPT_MAX];
static size_t kept_count;

static void say(const char *place, size_t size, size_t allocated, size_t live)
{
    if (printf("%s %zu %zu %zu\n", place, size, allocated, live) < 0)
        abort();
}

static void *checked(void *block)
{
    if (block == NULL)
        abort();
    *(volatile char *)block = 1;
    return block;
}

/*
 * One place for each way to allocate; the result is used, so that no call is a jump. Names that end
 * in malloc would be taken for wrappers, and their callers charged.
 */
PLACE static void *malloc_here(size_t size)
{
    return checked(malloc(size));
}

PLACE static void *calloc_here(size_t size)
{
    return checked(calloc(size / 4, 4));
}

PLACE static void *realloc_here(size_t size)
{
    return checked(realloc(NULL, size));
}

PLACE static void *reallocarray_here(size_t size)
{
    return checked(reallocarray(NULL, size / 4, 4));
}

PLACE static void *posix_memalign_here(size_t size)
{
    void *block = NULL;
    if (posix_memalign(&block, 64, size) != 0)
        abort();
    return checked(block);
}

PLACE static void *aligned_alloc_here(size_t size)
{
    return checked(aligned_alloc(32, size));
}

PLACE static void *memalign_here(size_t size)
{
    return checked(memalign(128, size));
}

PLACE static void *grown(void *block, size_t size)
{
    return checked(realloc(block, size));
}

PLACE static void *mixed(size_t size)
{
    return checked(malloc(size));
}

PLACE static void *crossing(size_t size)
{
    return checked(malloc(size));
}

PLACE static void *older(size_t size)
{
    return checked(malloc(size));
}

PLACE static void *newer(size_t size)
{
    return checked(malloc(size));
}

/* `count` blocks, of which every fourth stays. */
static void some(const char *place, void *(*allocate)(size_t), size_t size, size_t count)
{
    size_t live = 0;
    for (size_t i = 0; i < count; i++) {
        void *block = allocate(size);
        if (i % 4 == 3 && kept_count < KEPT_MAX) {
            kept[kept_count++] = block;
            live++;
        } else {
            free(block);
        }
    }
    say(place, size, count, live);
}

/* Each block is reallocated twice, and stays or goes. */
static void resized(size_t count)
{
    size_t live = 0;
    for (size_t i = 0; i < count; i++) {
        void *block = grown(malloc_here(40), 400);
        block = grown(block, 120);
        if (i % 4 == 3) {
            kept[kept_count++] = block;
            live++;
        } else {
            free(block);
        }
    }
    say("malloc_here", 40, count, 0);
    say("grown", 400, count, 0);
    say("grown", 120, count, live);
}

/* Nothing is older than its successor's birth; the newer one dies before any other is born. */
static void temporaries(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *first = older(100), *second = newer(100);
        free(first);
        free(second);
    }
    say("older", 100, count, 0);
    say("newer", 100, count, 0);
}

static void small(void)
{
#define SOME(place, size, count) some(#place, place, size, count)
    SOME(malloc_here, 0, 1600000);
    SOME(malloc_here, 8, 400000);
    SOME(calloc_here, 96, 200000);
    SOME(realloc_here, 96, 200000);
    SOME(reallocarray_here, 96, 200000);
    SOME(posix_memalign_here, 96, 200000);
    SOME(aligned_alloc_here, 96, 200000);
    SOME(memalign_here, 96, 200000);
    SOME(mixed, 24, 400000);
    SOME(mixed, 100, 200000);
    SOME(mixed, 512, 100000);
    SOME(mixed, 700, 50000);
    SOME(mixed, 5000, 4000);
    resized(100000);
    temporaries(100000);
}

/* Where a byte more or less counts. */
static void tiny(void)
{
    SOME(mixed, 1, 200000);
    SOME(malloc_here, 2, 200000);
    SOME(crossing, 7, 200000);
}

/* Up to 4 MiB; few of the large ones stay, since they take addresses. */
static void large(void)
{
    static const struct {
        size_t size, count, stays; /* one of so many */
    } ways[] = {{8, 8000000, 5},      {1000, 1000000, 10},  {16384, 200000, 40},
                {65536, 100000, 100}, {262144, 60000, 100}, {400000, 40000, 100},
                {1 << 20, 20000, 50}, {4 << 20, 20000, 100}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        for (size_t j = 0; j < ways[i].count; j++) {
            void *block = mixed(ways[i].size);
            if (j % ways[i].stays == 0)
                kept[kept_count++] = block;
            else
                free(block);
        }
        say("mixed", ways[i].size, ways[i].count, ways[i].count / ways[i].stays);
    }
}

#define THREADS 4
#define ROUNDS 2000
#define BATCH 50

static pthread_barrier_t barrier;
static void *passed[THREADS][BATCH];
static void *stay[THREADS][ROUNDS * BATCH / 4];

/* A thread's blocks are freed by its neighbour, but for a fourth of them, which stay. */
static void *cross(void *argument)
{
    size_t self = (size_t)argument, left = (self + 1) % THREADS, staying = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BATCH; i++)
            passed[self][i] = crossing(16 + 100 * (i % 5));
        pthread_barrier_wait(&barrier);
        for (size_t i = 0; i < BATCH; i++)
            if (round % 4 == 0)
                stay[self][staying++] = passed[left][i];
            else
                free(passed[left][i]);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void cross_all(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, cross, (void *)i) != 0)
            abort();
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 5; i++)
        say("crossing", 16 + 100 * i, THREADS * ROUNDS * BATCH / 5, THREADS * ROUNDS * BATCH / 20);
}

static void free_kept(void)
{
    while (kept_count > 0)
        free(kept[--kept_count]);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "small") == 0 || strcmp(what, "freed") == 0)
        small();
    else if (strcmp(what, "tiny") == 0)
        tiny();
    else if (strcmp(what, "large") == 0)
        large();
    else if (strcmp(what, "crossing") == 0)
        cross_all();
    else
        return 2;
    if (strcmp(what, "freed") == 0)
        free_kept();
    return 0;
}
