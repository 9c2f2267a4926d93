/*
 * The patterns that the protocols are made of, each tried by itself a great many times, between
 * processes where it is used between processes:
 *
 *   record   a record is filled, then its publishing word stored by release; whoever sees the word by
 *            acquire sees the record (nodes, contexts, modules, the slab table)
 *   pair     16 bytes that are moved at once are never seen half (struct ts_pair)
 *   stamp    a cell's pairs between two equal looks at its stamp are of one generation (struct ts_cell)
 *   sweep    what a thread files in the index while pages of it are given back is found again
 *            (store buffering: index_begin stores, then loads; the sweeper stores, waits, then loads)
 *
 *     litmus MILLISECONDS
 */
#include "shim/counters.h"
#include "shim/index.h"
#include "shim/region.h"
#include "tests/proof/stand_ins.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORDS 4096u
#define BATCH 1000

static struct shared {
    struct ts_pair pair __attribute__((aligned(64)));
    struct ts_cell cell __attribute__((aligned(64)));
    struct {
        uint32_t parent, reserved;
        uint64_t key;
    } records[RECORDS];
    uint64_t round; /* of the record writer */
} *shared;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Each round publishes all records anew, under keys that are one higher. */
static void write_records(uint64_t i)
{
    uint32_t at = (uint32_t)(i % RECORDS);
    uint64_t key = i / RECORDS + 1;
    ts_store_release(&shared->records[at].key, 0);
    ts_store_relaxed(&shared->records[at].parent, 0);
    ts_store_relaxed(&shared->records[at].parent, (uint32_t)key * 7 + at);
    ts_store_release(&shared->records[at].key, key);
}

static bool look_at_records(uint64_t i)
{
    uint32_t at = (uint32_t)(i % RECORDS);
    uint64_t key = ts_load_acquire(&shared->records[at].key);
    uint32_t parent = ts_load_relaxed(&shared->records[at].parent);
    if (key == 0 || ts_load_acquire(&shared->records[at].key) != key)
        return true; /* unpublished, or already the next round's */
    /* A later round may have begun with it since the first look: then it is 0 or the next one's. */
    return parent == (uint32_t)key * 7 + at || parent == 0 || parent == (uint32_t)(key + 1) * 7 + at;
}

static void write_pair(uint64_t i)
{
    ts_pair_store(&shared->pair, (struct ts_pair){i, i * UINT64_C(0x9e3779b97f4a7c15)});
}

static bool look_at_pair(uint64_t i)
{
    struct ts_pair pair = ts_pair_load(&shared->pair);
    (void)i;
    return pair.size == pair.count * UINT64_C(0x9e3779b97f4a7c15);
}

/* Every block of a generation has the generation's size; each generation has eight operations. */
static void write_cell(uint64_t i)
{
    uint64_t control = (i / 8 % 0x7fff) << 48 | (i / 4 & TS_CONTROL_EPOCH_MASK);
    uint64_t size = TS_CONTROL_GENERATION(control) + 1;
    if (i % 4 != 3)
        cell_allocated(&shared->cell, control, 1, size);
    else
        cell_freed(&shared->cell, control, 1, size, false);
}

static bool look_at_cell(uint64_t i)
{
    const struct ts_cell *cell = &shared->cell;
    uint64_t stamp = ts_load_acquire(&cell->stamp), size = TS_CONTROL_GENERATION(stamp) + 1;
    struct ts_pair allocated = ts_pair_load(&cell->allocated), freed = ts_pair_load(&cell->freed);
    struct ts_pair peak = ts_pair_load(&cell->peak);
    (void)i;
    if (ts_load_acquire(&cell->stamp) != stamp)
        return true;
    /* A refresh may have begun since: zeros go with every size. */
    return allocated.size == allocated.count * size && freed.size == freed.count * size &&
           peak.size == peak.count * size;
}

static const struct pattern {
    const char *name;
    void (*write)(uint64_t i);
    bool (*look)(uint64_t i);
} patterns[] = {
    {"record: whoever sees the publishing word sees the record", write_records, look_at_records},
    {"pair: 16 bytes are never seen half", write_pair, look_at_pair},
    {"stamp: between two equal stamps all is of one generation", write_cell, look_at_cell},
};

/* A process writes, this one looks. Returns the looks; *wrong: those that saw what may not be. */
static uint64_t try_pattern(const struct pattern *pattern, uint64_t milliseconds, uint64_t *wrong)
{
    uint64_t looks = 0, end = now_ms() + milliseconds;
    pid_t pid = fork();
    *wrong = 0;
    if (pid == 0)
        for (uint64_t i = 0;; i++)
            pattern->write(i);
    while (now_ms() < end || looks == 0)
        for (int i = 0; i < BATCH; i++)
            *wrong += !pattern->look(looks++);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return looks;
}

static uint32_t stop;

static void *sweep(void *sweeps)
{
    while (!ts_load_relaxed(&stop)) {
        index_sweep();
        ++*(uint64_t *)sweeps;
    }
    return NULL;
}

/* One block at a time in an otherwise empty leaf: each is alone in its page of the shadow. */
static uint64_t try_sweep(struct shard *shard, uint64_t milliseconds, uint64_t *wrong,
                          uint64_t *sweeps)
{
    uint64_t filed = 0, end = now_ms() + milliseconds;
    pthread_t sweeper;
    *wrong = *sweeps = 0;
    pthread_create(&sweeper, NULL, sweep, sweeps);
    while (now_ms() < end || ts_load_relaxed(sweeps) < 3)
        for (uint64_t i = 0; i < BATCH; i++, filed++) {
            struct block block = {100, 1, 0}, found, stale;
            const void *address = (const void *)((UINT64_C(1) << 42) + filed % 64 * 65536);
            index_insert(shard, address, &block, &stale);
            if (stale.context != 0 || !index_take(address, &found, true) || found.size != 100)
                ++*wrong;
        }
    ts_store_relaxed(&stop, 1);
    pthread_join(sweeper, NULL);
    return filed;
}

static bool is_resident(const uint32_t *slot)
{
    unsigned char resident = 0;
    uintptr_t page = (uintptr_t)slot & ~(uintptr_t)4095;
    return mincore((void *)page, 4096, &resident) == 0 && (resident & 1) != 0;
}

/* What is met by chance above: a sweep begins in the midst of an insertion, which stands still. */
static bool sweep_gives_up(struct shard *shard)
{
    const uintptr_t address = UINT64_C(1) << 43;
    struct block block = {100, 1, 0}, stale;
    index_insert(shard, (const void *)address, &block, &stale);
    index_take((const void *)address, &block, true); /* leaves an empty page */
    const uint32_t *slot = shadow_slot(address);
    bool right = slot != NULL && is_resident(slot) && index_begin(shard);
    index_sweep();
    right = right && is_resident(slot);
    index_end(shard);
    index_sweep();
    return right && !is_resident(slot);
}

/* And an insertion in the midst of a sweep: the block is filed, but not in a page. */
static bool insertion_goes_elsewhere(struct shard *shard)
{
    const uintptr_t address = UINT64_C(1) << 43;
    struct block block = {100, 1, 0}, found = {0, 0, 0}, stale;
    ts_store_release(&shadow.sweeping, 1);
    bool right =
        index_insert(shard, (const void *)address, &block, &stale) && *shadow_slot(address) == 0;
    ts_store_release(&shadow.sweeping, 0);
    return index_take((const void *)address, &found, true) && found.size == block.size && right;
}

static int say(bool right, int number, const char *name)
{
    printf("%sok %d - %s\n", right ? "" : "not ", number, name);
    return !right;
}

int main(int argc, char **argv)
{
    uint64_t milliseconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 300, wrong, sweeps, all = 0;
    int failed = 0, number = 0;
    static struct fake_thread thread = {.stack = {1, {1}}};
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        uint64_t looks = try_pattern(&patterns[i], milliseconds, &wrong);
        printf("# %" PRIu64 " looks, %" PRIu64 " wrong\n%sok %d - %s\n", looks, wrong,
               wrong == 0 ? "" : "not ", ++number, patterns[i].name);
        fflush(stdout); /* before the next fork */
        failed += wrong != 0;
        all += looks;
    }
    books_open();
    books_allocate(&thread, UINT64_C(1) << 41, 48);
    struct shard *shard = thread.thread.shard;
    uint64_t filed = try_sweep(shard, milliseconds, &wrong, &sweeps);
    printf("# %" PRIu64 " blocks, %" PRIu64 " sweeps, %" PRIu64 " wrong\n"
           "%sok %d - sweep: what is filed meanwhile is found again\n",
           filed, sweeps, wrong, wrong == 0 ? "" : "not ", ++number);
    failed += wrong != 0;
    failed += say(sweep_gives_up(shard), ++number,
                  "sweep: gives up in the midst of an insertion, and not after it");
    failed += say(insertion_goes_elsewhere(shard), ++number,
                  "sweep: what is filed in the midst of one is filed elsewhere");
    printf("# looks in all %" PRIu64 "\n1..%d\n", all + filed, number);
    return failed != 0;
}
