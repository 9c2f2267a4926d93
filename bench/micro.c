/*
 * One small piece of work per name, the same on every machine, for what an allocation costs by
 * itself: pairs of malloc and free under stacks of several depths, among many live blocks, in
 * threads, under many stacks, and so on. The list is at the end of this file.
 *
 * The work grows with the rounds and all that comes before it does not, so that whoever counts
 * instructions takes two counts with different rounds and keeps the difference. The case "cross"
 * alone has no such count: its threads wait for each other.
 *
 * usage: micro CASE [--rounds N]    without a CASE: all of them, with their rounds
 *
 * Printed is one line of JSON. "ns_per_operation" is the time of the rounds by the clock, divided
 * by the operations of one thread; "private" the anonymous memory in bytes that the process then
 * has, with the blocks that the case holds.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

/*
 * What makes functions differ for the compiler, which then folds no two into one. Behind the last
 * call of a function it also keeps that call from becoming a jump.
 */
#define DIFFERENT(name) __asm__ volatile("# " #name ::: "memory")

enum {
    BLOCK_SIZE = 48,
    DEPTH = 10, /* of the stack where the case is not about that */
    FEW_LIVE = 10,
    MANY_LIVE = 20, /* powers of two */
    RING = 1024,
    PATH_DIGITS = 4,
    PATHS = 10000,
};

struct work {
    uint64_t rounds;
    uint64_t ns; /* set by the case: what the rounds took */
    unsigned parameter;
    void (*bottom)(struct work *); /* the case's function, called at its depth */
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static _Noreturn void give_up(const char *cause)
{
    fprintf(stderr, "micro: %s\n", cause);
    exit(2);
}

/* The block as a program would get it: in use, and the compiler cannot know what for. */
static inline void *allocate(size_t size)
{
    char *volatile block = malloc(size);
    if (!block)
        give_up("out of memory");
    *block = 1;
    return block;
}

/* Numbers in a fixed order that no prefetcher knows. */
static inline uint64_t next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 32;
}

/* --- Stacks: four functions with frames of different sizes call each other in turn --- */

static void descend(struct work *work, unsigned more);

#define STEP(name, room)                                                                           \
    static NOINLINE void name(struct work *work, unsigned more)                                    \
    {                                                                                              \
        volatile char local[room];                                                                 \
        local[0] = local[(room)-1] = (char)more;                                                   \
        if (more == 0)                                                                             \
            work->bottom(work);                                                                    \
        else                                                                                       \
            descend(work, more - 1);                                                               \
        DIFFERENT(name);                                                                           \
    }

STEP(step_small, 8)
STEP(step_middle, 72)
STEP(step_large, 328)
STEP(step_other, 24)

static inline __attribute__((always_inline)) void descend(struct work *work, unsigned more)
{
    static void (*const steps[])(struct work *, unsigned) = {step_small, step_middle, step_large,
                                                             step_other};
    steps[more % 4](work, more);
}

/* Calls the bottom as the innermost of so many functions; its caller's are not counted. */
static void at_depth(struct work *work, unsigned depth, void (*bottom)(struct work *))
{
    work->bottom = bottom;
    descend(work, depth - 2); /* a step that goes no further, and the bottom */
}

/* --- Pairs at a depth --- */

static NOINLINE void make_pairs(struct work *work)
{
    uint64_t begin = now();
    for (uint64_t i = 0; i < work->rounds; i++)
        free(allocate(BLOCK_SIZE));
    work->ns = now() - begin;
}

/* --- Pairs in threads: one is a second thread, too, since libc is faster without any --- */

static NOINLINE void *pairs_of_thread(void *work)
{
    at_depth(work, DEPTH, make_pairs);
    return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), void *argument)
{
    if (pthread_create(thread, NULL, function, argument) != 0)
        give_up("no second thread");
}

static NOINLINE void pairs_in_threads(struct work *work)
{
    enum { MOST = 2 };
    pthread_t threads[MOST];
    struct work parts[MOST];
    uint64_t begin = now();
    for (unsigned i = 0; i < work->parameter; i++) {
        parts[i] = *work;
        start(&threads[i], pairs_of_thread, &parts[i]);
    }
    for (unsigned i = 0; i < work->parameter; i++)
        pthread_join(threads[i], NULL);
    work->ns = now() - begin;
}

/* --- Pairs among live blocks: a block is freed and another takes its place --- */

static size_t mixed_size(uint64_t number)
{
    return 16 + number % 8 * 16;
}

static NOINLINE void replace_blocks(struct work *work)
{
    uint64_t count = 1ull << work->parameter;
    void **blocks = allocate(count * sizeof(*blocks));
    for (uint64_t i = 0; i < count; i++)
        blocks[i] = allocate(mixed_size(i));

    uint64_t state = 1;
    uint64_t begin = now();
    for (uint64_t i = 0; i < work->rounds; i++) {
        uint64_t number = next_number(&state);
        void **place = &blocks[number & (count - 1)];
        free(*place);
        *place = allocate(mixed_size(number >> 24));
    }
    work->ns = now() - begin;
}

/* --- Pairs under ten thousand stacks: four of ten functions in a row, in a fixed mixed order ---
 */

static void follow(unsigned path, unsigned digits);

#define TURN(name)                                                                                 \
    static NOINLINE void name(unsigned path, unsigned digits)                                      \
    {                                                                                              \
        if (digits == 0)                                                                           \
            free(allocate(BLOCK_SIZE));                                                            \
        else                                                                                       \
            follow(path / 10, digits - 1);                                                         \
        DIFFERENT(name);                                                                           \
    }

TURN(turn_0)
TURN(turn_1)
TURN(turn_2)
TURN(turn_3)
TURN(turn_4)
TURN(turn_5)
TURN(turn_6)
TURN(turn_7)
TURN(turn_8)
TURN(turn_9)

static inline __attribute__((always_inline)) void follow(unsigned path, unsigned digits)
{
    static void (*const turns[])(unsigned, unsigned) = {turn_0, turn_1, turn_2, turn_3, turn_4,
                                                        turn_5, turn_6, turn_7, turn_8, turn_9};
    turns[path % 10](path, digits);
}

static NOINLINE void follow_paths(struct work *work)
{
    unsigned path = 0;
    uint64_t begin = now();
    for (uint64_t i = 0; i < work->rounds; i++) {
        path = (path * 4621 + 2113) % PATHS; /* each once before any again */
        follow(work->parameter == PATHS ? path : PATHS / 2, PATH_DIGITS - 1);
    }
    work->ns = now() - begin;
}

/* --- Growing: a round is a block that realloc makes larger by half, from 16 bytes to 64 KiB --- */

enum { GROW_FROM = 16, GROW_TO = 65536, GROW_STEPS = 21 };

static NOINLINE void grow_blocks(struct work *work)
{
    uint64_t begin = now();
    for (uint64_t i = 0; i < work->rounds; i++) {
        char *block = NULL;
        size_t size = GROW_FROM;
        for (int step = 0; step < GROW_STEPS; step++, size += size / 2) {
            block = realloc(block, size < GROW_TO ? size : GROW_TO);
            if (!block)
                give_up("out of memory");
            *(volatile char *)block = 1;
        }
        free(block);
    }
    work->ns = now() - begin;
}

/* --- One thread allocates, the other frees; a ring between them --- */

static _Atomic(void *) ring[RING];

static NOINLINE void produce(struct work *work)
{
    for (uint64_t i = 0; i < work->rounds; i++) {
        while (atomic_load_explicit(&ring[i % RING], memory_order_acquire))
            sched_yield();
        atomic_store_explicit(&ring[i % RING], allocate(BLOCK_SIZE), memory_order_release);
    }
}

static NOINLINE void consume(struct work *work)
{
    for (uint64_t i = 0; i < work->rounds; i++) {
        void *block;
        while (!(block = atomic_load_explicit(&ring[i % RING], memory_order_acquire)))
            sched_yield();
        atomic_store_explicit(&ring[i % RING], NULL, memory_order_release);
        free(block);
    }
}

static NOINLINE void *consuming_thread(void *work)
{
    at_depth(work, DEPTH, consume);
    return NULL;
}

static NOINLINE void pass_blocks(struct work *work)
{
    struct work other = *work;
    pthread_t thread;
    uint64_t begin = now();
    start(&thread, consuming_thread, &other);
    at_depth(work, DEPTH, produce);
    pthread_join(thread, NULL);
    work->ns = now() - begin;
}

/* --- Holding: a round is a block that stays; nothing else refers to it --- */

static NOINLINE void hold_blocks(struct work *work)
{
    static void **kept;
    uint64_t begin = now();
    for (uint64_t i = 0; i < work->rounds; i++) {
        void **block = allocate(work->parameter);
        memset(block, 0, work->parameter);
        *block = kept;
        kept = block;
    }
    work->ns = now() - begin;
}

/* --- The list --- */

static const struct micro {
    const char *name;
    const char *what;
    unsigned depth;
    void (*bottom)(struct work *);
    unsigned parameter;
    unsigned operations; /* in a round, by one thread */
    uint64_t rounds;     /* unless told otherwise */
} cases[] = {
    {"pair-10", "malloc, free under 10 frames", 10, make_pairs, 0, 1, 2000000},
    {"pair-30", "malloc, free under 30 frames", 30, make_pairs, 0, 1, 2000000},
    {"pair-100", "malloc, free under 100 frames", 100, make_pairs, 0, 1, 2000000},
    {"live-1k", "free, malloc among 1,024 blocks", DEPTH, replace_blocks, FEW_LIVE, 1, 2000000},
    {"live-1m", "free, malloc among 1,048,576 blocks", DEPTH, replace_blocks, MANY_LIVE, 1,
     1000000},
    {"threads-1", "malloc, free in a thread", DEPTH, pairs_in_threads, 1, 1, 2000000},
    {"threads-2", "malloc, free in each of two threads", DEPTH, pairs_in_threads, 2, 1, 2000000},
    {"stacks-1", "malloc, free under one stack", DEPTH, follow_paths, 1, 1, 1000000},
    {"stacks-10k", "malloc, free under 10,000 stacks", DEPTH, follow_paths, PATHS, 1, 1000000},
    {"realloc", "realloc from 16 bytes to 64 KiB", DEPTH, grow_blocks, 0, GROW_STEPS, 100000},
    {"cross", "malloc here, free in another thread", DEPTH, pass_blocks, 0, 1, 1000000},
    {"hold-16", "malloc of 16 bytes that stay", DEPTH, hold_blocks, 16, 1, 100000},
    {"hold-48", "malloc of 48 bytes that stay", DEPTH, hold_blocks, 48, 1, 100000},
    {"hold-128", "malloc of 128 bytes that stay", DEPTH, hold_blocks, 128, 1, 100000},
    {"hold-1024", "malloc of 1,024 bytes that stay", DEPTH, hold_blocks, 1024, 1, 100000},
};

enum { CASES = sizeof(cases) / sizeof(*cases) };

static const struct micro *find(const char *name)
{
    for (int i = 0; i < CASES; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    fprintf(stderr, "micro: no such case: '%s'; call it without any to see them\n", name);
    exit(2);
}

static uint64_t private_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long kib = 0;
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "RssAnon: %llu", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib * 1024;
}

static uint64_t parse_rounds(const char *text)
{
    char *end;
    unsigned long long rounds = strtoull(text, &end, 10);
    if (*end || rounds == 0 || *text == '-') {
        fprintf(stderr, "micro: no count of rounds: '%s'; give a number above 0\n", text);
        exit(2);
    }
    return rounds;
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        for (int i = 0; i < CASES; i++)
            printf("%s %llu %s\n", cases[i].name, (unsigned long long)cases[i].rounds,
                   cases[i].what);
        return 0;
    }
    if (argc != 2 && !(argc == 4 && strcmp(argv[2], "--rounds") == 0)) {
        fprintf(stderr, "usage: micro CASE [--rounds N]\n");
        return 2;
    }
    const struct micro *chosen = find(argv[1]);
    struct work work = {.rounds = argc == 4 ? parse_rounds(argv[3]) : chosen->rounds,
                        .parameter = chosen->parameter};
    at_depth(&work, chosen->depth, chosen->bottom);
    uint64_t operations = work.rounds * chosen->operations;
    printf("{\"case\": \"%s\", \"rounds\": %llu, \"operations\": %llu, \"ns_per_operation\": %.3f, "
           "\"private\": %llu}\n",
           chosen->name, (unsigned long long)work.rounds, (unsigned long long)operations,
           (double)work.ns / (double)operations, (unsigned long long)private_bytes());
    return 0;
}
