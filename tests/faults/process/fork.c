/*
 * Forks at any moment of a program whose threads allocate, free and resize all the time; its
 * children become such programs, and fork, too. A child knows from the books of all threads, as
 * they were at the fork, what it inherited to the byte, but for the operations that they were in;
 * the shim's total must be one of these. Then it keeps books of its own, and at its end writes down
 * what its region must hold.
 *
 *     fork RECORDS CHILDREN GENERATIONS SEED
 */
#include "tests/faults/process/records.h"
#include "tests/faults/process/worker.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>

#define WORKERS 3u

struct team {
    int state; /* enum worker_state */
    struct book books[WORKERS];
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];
    void *exchange[WORKER_SLOTS];
    size_t base; /* live bytes without what the books hold */
};

static struct team team;
static uint64_t seed;

static int64_t live_of(const struct counts *counts)
{
    int64_t live = 0;
    for (unsigned i = 0; i < BOOKS_OWNERS; i++)
        live += (int64_t)(counts->allocated_size[i] - counts->freed_size[i]);
    return live;
}

/* What the books may say is live: every thread's operation done or not. 0 ends the list. */
static bool is_possible(size_t live)
{
    int64_t found = (int64_t)(live - team.base);
    for (unsigned which = 0; which < 27; which++) {
        int64_t sum = 0;
        bool possible = true;
        for (unsigned i = 0, rest = which; i < WORKERS; i++, rest /= BOOKS_OUTCOMES) {
            struct counts counts = *book_counts(&team.books[i]);
            possible = possible && counts_apply(&counts, team.books[i].word, rest % BOOKS_OUTCOMES);
            sum += live_of(&counts);
        }
        if (possible && sum == found)
            return true;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        dprintf(2, "thread %u: %lld bytes, operation %#llx\n", i,
                (long long)live_of(book_counts(&team.books[i])), (long long)team.books[i].word);
    dprintf(2, "live %zu bytes, of which %zu are not in the books\n", live, team.base);
    return false;
}

static void set_state(enum worker_state state)
{
    __atomic_store_n(&team.state, state, __ATOMIC_RELEASE);
}

/* All stand ready; what their stacks took belongs to no books. */
static void start_team(void)
{
    memset(&team, 0, sizeof team);
    set_state(WORKER_WAITS);
    for (unsigned i = 0; i < WORKERS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        team.workers[i] = (struct worker){.book = &team.books[i],
                                          .owner = i,
                                          .random = seed | 1,
                                          .exchange = team.exchange,
                                          .state = &team.state};
        FAULT_EQUAL(pthread_create(&team.threads[i], NULL, worker_run, &team.workers[i]), 0);
    }
    free(FAULT_MALLOC(1));
    team.base = fault_live();
}

static void *allocate_one(void *unused)
{
    free(FAULT_MALLOC(33));
    return unused;
}

/* The first allocation of a child: by the thread that forked, by another one, or by several. */
static void begin(unsigned way)
{
    pthread_t threads[2];
    unsigned count = way % 3;
    for (unsigned i = 0; i < count; i++)
        FAULT_EQUAL(pthread_create(&threads[i], NULL, allocate_one, NULL), 0);
    allocate_one(NULL);
    for (unsigned i = 0; i < count; i++)
        FAULT_EQUAL(pthread_join(threads[i], NULL), 0);
}

static void live_on(unsigned children, unsigned generations);

static void in_child(unsigned number, unsigned children, unsigned generations)
{
    alarm(100);
    if (number % 5 != 4) /* every fifth child forks before it has allocated anything */
        begin(number);
    if (number % 3 == 0 && number % 5 != 4)
        FAULT_TRUE(is_possible(fault_live()));
    seed += number;
    live_on(children, generations - 1);
}

/* The threads rest while a child lives, so that there is a processor for it. */
static void fork_children(unsigned children, unsigned generations)
{
    int status;
    for (unsigned i = 0; i < children; i++) {
        set_state(WORKER_WORKS);
        usleep(100 + (unsigned)(seed >> 50) % 400);
        pid_t pid = fork();
        FAULT_TRUE(pid >= 0);
        if (pid == 0)
            in_child(i + (unsigned)(seed >> 60), children, generations);
        set_state(WORKER_WAITS);
        FAULT_EQUAL(waitpid(pid, &status, 0), pid);
        FAULT_EQUAL(status, 0);
        seed = seed * 6364136223846793005u + i;
    }
}

/* A busy program, to its end. */
static void live_on(unsigned children, unsigned generations)
{
    start_team();
    if (generations > 0)
        fork_children(children, generations);
    set_state(WORKER_WORKS);
    usleep(500);
    set_state(WORKER_ENDS);
    for (unsigned i = 0; i < WORKERS; i++)
        FAULT_EQUAL(pthread_join(team.threads[i], NULL), 0);
    int64_t live = (int64_t)team.base;
    for (unsigned i = 0; i < WORKERS; i++)
        live += live_of(book_counts(&team.books[i]));
    FAULT_EQUAL(fault_live(), live);
    record_end((uint64_t)live);
    _exit(0);
}

int main(int argc, char **argv)
{
    FAULT_EQUAL(argc, 5);
    records_open(argv[1]);
    seed = strtoull(argv[4], NULL, 10);
    live_on((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
}
