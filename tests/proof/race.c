/*
 * Threads race, for ThreadSanitizer: the shim's own sources in one program with threads that allocate
 * and free in stacks new and old, hand blocks over, come and go, command (clear, reset-peak, pause),
 * with the sweeper at work, forked children, and a thread that reads the region all the time with the
 * tool's own code.
 *
 *     race SECONDS
 *
 * What the sanitizer cannot see is made visible, nothing is suppressed: the 16-byte pairs, which are
 * moved by inline assembly, are two atomic words here (race.h); the reader maps the region a second
 * time, where the sanitizer takes each word for another one: so a second reader, like cells.c, looks
 * at the cells where the shim has them.
 */
#include "region/hash.h"
#include "shim/counters.h"
#include "shim/live.h"
#include "shim/region.h"
#include "shim/table.h"
#include "tests/proof/stand_ins.h"
#include "tests/unit/reader_promises.h"
#include "tools/source/source.h"
#include "tools/source/cells.c"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3
#define BLOCKS 64
#define SIZE 48u
#define LIVES 2000 /* operations of a thread before another one takes its place */

/* A block is its owner's, and handed over as the program would do it. */
static uintptr_t shared[BLOCKS];
static uint64_t stop, next_place, operations, captures, broken, children, held_up;
#define CHILD_SECONDS 20

struct worker {
    struct fake_thread thread;
    uint64_t random, number;
    uintptr_t own[BLOCKS];
};

static uint64_t below(struct worker *worker, uint64_t limit)
{
    worker->random = worker->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (worker->random >> 33) % limit;
}

/* Addresses come again, as those of an allocator do; a place is one thread's at a time. */
static uintptr_t take_place(struct worker *worker)
{
    uint64_t place = worker->number * 4096 + below(worker, 4096);
    return (UINT64_C(1) << 40) + place * 64;
}

static void set_stack(struct worker *worker)
{
    struct fake_stack *stack = &worker->thread.stack;
    stack->count = 3 + (uint32_t)below(worker, STACK_DEPTH_MOST - 3);
    /* Few stacks for long, so that threads meet in new ones; now and then from a wider range. */
    uint64_t range = 2 + ts_load_relaxed(&operations) / 20000;
    for (uint32_t i = 0; i < stack->count; i++)
        stack->frames[i] = 1 + below(worker, i == 0 ? 2 : range);
}

static void one_operation(struct worker *worker)
{
    uint64_t i = below(worker, BLOCKS);
    set_stack(worker);
    if (worker->own[i] == 0) {
        uintptr_t place = ts_add_relaxed(&next_place, 1) * 64 + (UINT64_C(1) << 40);
        if (below(worker, 4) == 0)
            place = take_place(worker) + (UINT64_C(1) << 36);
        for (int j = 0; j < BLOCKS; j++) /* still this thread's own from before */
            if (worker->own[j] == place)
                return;
        books_allocate(&worker->thread, place, below(worker, 50) == 0 ? 40000 : SIZE);
        worker->own[i] = place;
    } else if (below(worker, 3) == 0) {
        uintptr_t theirs = ts_exchange_acq_rel(&shared[i], worker->own[i]);
        worker->own[i] = 0;
        if (theirs != 0)
            books_free(&worker->thread, theirs);
    } else {
        books_free(&worker->thread, worker->own[i]);
        worker->own[i] = 0;
    }
}

static void leave_blocks(struct worker *worker)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (worker->own[i] != 0)
            books_free(&worker->thread, worker->own[i]);
        worker->own[i] = 0;
    }
}

static void *work(void *argument)
{
    struct worker *worker = calloc(1, sizeof *worker);
    worker->number = (uintptr_t)argument;
    worker->random = worker->number * 77 + 1;
    while (!ts_load_relaxed(&stop)) {
        uint64_t random = worker->random;
        for (int i = 0; i < LIVES && !ts_load_relaxed(&stop); i++)
            one_operation(worker);
        ts_add_relaxed(&operations, LIVES);
        leave_blocks(worker);
        books_leave(&worker->thread);
        *worker = (struct worker){.random = random + 1, .number = worker->number};
    }
    free(worker);
    return NULL;
}

/* Anybody may; commands are compare-and-swaps of one word. */
static void *command(void *unused)
{
    uint64_t (*const steps[])(uint64_t) = {ts_control_clear, ts_control_reset_peak,
                                           ts_control_next_epoch};
    for (unsigned i = 0; !ts_load_relaxed(&stop); i++) {
        uint64_t old = ts_load_acquire(&region_header->control);
        uint64_t new = i % 7 < 3 ? steps[i % 3](old) : old ^ TS_CONTROL_PAUSED;
        if (i % 7 == 6)
            new = old & ~TS_CONTROL_PAUSED;
        ts_cas_acq_rel(&region_header->control, &old, new);
        if (i % 16 == 0)
            index_sweep();
        if (i % 64 == 0) {
            index_forget();
            shards_forget();
        }
        usleep(2000);
    }
    return unused;
}

/* As cells.c reads, but in the writer's own mapping. */
static void look_inside(void)
{
    struct reading reading = {.patience = INT64_MAX};
    struct capture_values sum;
    uint64_t control = ts_load_acquire(&region_header->control);
    for (uint32_t block = 0; block < shards_blocks(); block++) {
        struct chunk chunks[64];
        uint32_t count = 0, shards = shards_count();
        for (uint32_t i = 0; i < shards && count < 64; i++) {
            chunks[count].cells = shard_chunk(i, block);
            count += chunks[count].cells != NULL;
        }
        for (uint32_t cell = 0; cell < TS_CHUNK_CELLS && count > 0; cell++)
            read_context(&reading, chunks, count, cell, control, &sum);
    }
    uint32_t contexts = ts_load_acquire(&region_header->context_count);
    for (uint32_t i = 1; i < contexts; i++) {
        uint32_t node = ts_load_acquire(&region_context(i)->node);
        while (node != 0 && ts_load_acquire(&region_node(node)->key) != 0)
            node = region_node(node)->parent;
    }
}

static void *read_all_the_time(void *unused)
{
    while (!ts_load_relaxed(&stop)) {
        struct error error = {""};
        struct capture *capture = source_open(region_path(), &error);
        if (capture == NULL || !keeps_promises(capture)) {
            printf("# %s\n", capture == NULL ? error.text : "a promise is broken");
            broken++;
        }
        capture_free(capture);
        look_inside();
        captures++;
    }
    return unused;
}

/*
 * A child of a process in full flight: a region of its own, and it goes on counting. The sanitizer's
 * own allocator may have been locked by another thread when it forked, and then the child spins in
 * there: it is ended and not counted. What hangs by our fault hangs in tests/faults/process/fork_test.py.
 */
static void fork_once(void)
{
    static struct worker worker;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(CHILD_SECONDS);
        struct error error = {""};
        worker = (struct worker){.random = 5, .number = THREADS + 1};
        if (!books_open_child(&worker.thread))
            _exit(3);
        for (int i = 0; i < 300; i++)
            one_operation(&worker);
        struct capture *capture = source_open(region_path(), &error);
        bool right = capture != NULL && keeps_promises(capture);
        unlink(region_path());
        _exit(right ? 0 : 4);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        held_up++;
        return;
    }
    children++;
    if (status != 0) {
        printf("# a child ended with %#x\n", (unsigned)status);
        broken++;
    }
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3;
    pthread_t threads[THREADS + 2];
    books_open();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    pthread_create(&threads[THREADS], NULL, command, NULL);
    pthread_create(&threads[THREADS + 1], NULL, read_all_the_time, NULL);
    time_t end = time(NULL) + seconds;
    do {
        usleep(200000);
        fork_once();
    } while (time(NULL) < end || ts_load_relaxed(&operations) < 3 * LIVES);
    ts_store_relaxed(&stop, 1);
    for (int i = 0; i < THREADS + 2; i++)
        pthread_join(threads[i], NULL);
    printf("# operations %lu\n# nodes %u\n# captures %lu\n# children %lu\n"
           "# held up by the sanitizer %lu\n",
           (unsigned long)operations, region_header->node_count, (unsigned long)captures,
           (unsigned long)children, (unsigned long)held_up);
    return broken != 0;
}
