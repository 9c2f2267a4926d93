/*
 * Threads that allocate while a timer of 1 kHz interrupts them, with a handler that allocates and
 * frees, too: where the interrupted code is not in the allocator itself, which is where that works
 * with glibc. Prints its books, one line for each function that allocates, then "ready", and waits
 * for the end of standard input.
 *
 *     timer normal|alternate SIGNALS
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define THREADS 2
#define RING 8
#define ENDLESS 400000u /* rounds: without signals the threads end, too */

struct books {
    uint64_t allocated_count, allocated_size, freed_count, freed_size;
};

struct ring {
    void *blocks[RING];
    size_t sizes[RING];
    uint32_t next;
};

struct thread_state {
    pthread_t thread;
    struct books program, handler;
    struct ring kept, of_handler;
    char *stack;
};

static struct thread_state states[THREADS];
static __thread struct thread_state *own;
static __thread volatile sig_atomic_t outside; /* 1 = not in the allocator */
static int wanted, seen;                       /* signals whose handler allocated */

static void book_allocated(struct books *books, size_t size)
{
    books->allocated_count++;
    books->allocated_size += size;
}

static void book_freed(struct books *books, size_t size)
{
    books->freed_count++;
    books->freed_size += size;
}

/* calloc: were both malloc, the compiler could make one function of the two. */
static NOINLINE void *handler_block(size_t size)
{
    void *volatile block = calloc(1, size);
    return block;
}

static NOINLINE void *program_block(size_t size)
{
    void *volatile block = malloc(size);
    return block;
}

/* Puts a new block in the place of the oldest, which is freed. */
static void replace(struct ring *ring, struct books *books, void *block, size_t size)
{
    uint32_t i = ring->next++ % RING;
    book_allocated(books, size);
    if (ring->blocks[i] != NULL) {
        book_freed(books, ring->sizes[i]);
        free(ring->blocks[i]);
    }
    ring->blocks[i] = block;
    ring->sizes[i] = size;
}

static void on_tick(int number)
{
    (void)number;
    if (!outside)
        return;
    outside = 0; /* the next tick may come before this handler ends */
    for (size_t i = 0; i < 3; i++) {
        size_t size = 100 + own->of_handler.next % 50;
        replace(&own->of_handler, &own->handler, handler_block(size), size);
    }
    __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED);
    outside = 1;
}

/* Work that is no allocation: here the handler may allocate. */
static NOINLINE void compute(uint32_t *value)
{
    outside = 1;
    for (int i = 0; i < 2000; i++) {
        *value = *value * 1664525u + 1013904223u;
        __asm__ volatile("" : : "r"(*value));
    }
    outside = 0;
}

static NOINLINE void churn(uint32_t *value, int depth)
{
    size_t size = 10 + (*value >> 8) % 200;
    replace(&own->kept, &own->program, program_block(size), size);
    if (depth > 0)
        churn(value, depth - 1);
    compute(value);
}

static void *work(void *argument)
{
    uint32_t value = 1;
    own = argument;
    if (own->stack != NULL) {
        stack_t stack = {.ss_sp = own->stack, .ss_size = 65536};
        sigaltstack(&stack, NULL);
    }
    for (uint32_t i = 0; i < ENDLESS && __atomic_load_n(&seen, __ATOMIC_RELAXED) < wanted; i++)
        churn(&value, (int)(value >> 28));
    return NULL;
}

static void print_books(const char *name, size_t offset)
{
    struct books sum = {0};
    for (int i = 0; i < THREADS; i++) {
        const struct books *books = (const struct books *)((const char *)&states[i] + offset);
        sum.allocated_count += books->allocated_count;
        sum.allocated_size += books->allocated_size;
        sum.freed_count += books->freed_count;
        sum.freed_size += books->freed_size;
    }
    printf("%s %llu %llu %llu %llu\n", name,
           (unsigned long long)(sum.allocated_count - sum.freed_count),
           (unsigned long long)(sum.allocated_size - sum.freed_size),
           (unsigned long long)sum.allocated_count, (unsigned long long)sum.allocated_size);
}

int main(int argc, char **argv)
{
    int alternate = argc == 3 && strcmp(argv[1], "alternate") == 0;
    struct sigaction action = {.sa_handler = on_tick,
                               .sa_flags = SA_RESTART | (alternate ? SA_ONSTACK : 0)};
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    char end;
    wanted = argc == 3 ? atoi(argv[2]) : 0;
    for (int i = 0; alternate && i < THREADS; i++)
        states[i].stack = malloc(65536);
    if (sigaction(SIGPROF, &action, NULL) != 0 || setitimer(ITIMER_PROF, &often, NULL) != 0)
        return 1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&states[i].thread, NULL, work, &states[i]) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(states[i].thread, NULL);
    setitimer(ITIMER_PROF, &never, NULL);
    print_books("program_block", offsetof(struct thread_state, program));
    print_books("handler_block", offsetof(struct thread_state, handler));
    printf("ready %d\n", seen);
    fflush(stdout);
    return read(0, &end, 1) < 0;
}
