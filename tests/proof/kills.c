/*
 * Writers killed at random moments, and read all the time until then.
 *
 *     kills KILLS [SEED]       with TRACESNAP_LIB; speaks TAP
 *     kills writer PAGE        what it traces
 *
 * The writer has threads that meet new stacks without end, free, and let children be made by fork;
 * before and after each malloc and free they count in a page that outlives them. The reader reads
 * the region with the tool's own code, over and over, orders a reset-peak now and then, and kills
 * the writer after a random time, nanoseconds apart. Each capture must keep its promises and have
 * at least what had ended before it was taken, and at most what had begun when it was.
 */
#include "tests/unit/reader_build.h"
#include "tests/unit/reader_promises.h"
#include "tools/source/reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3
#define SIZE 9973u /* of all blocks; libc has none of this size */
#define SLOTS 32
#define FORK_EVERY 4096
#define LATEST 8000000u /* ns from the first look to the kill */

struct page {
    struct {
        uint64_t begun[2], ended[2]; /* allocations, frees */
    } books[THREADS] __attribute__((aligned(64)));
};

static struct page *page;

/* ------------------------------------------------------------------ the writer */

#define NOINLINE __attribute__((noinline, noclone))

static NOINLINE void *left(uint64_t path, unsigned depth);
static NOINLINE void *right(uint64_t path, unsigned depth);

static inline void *further(uint64_t path, unsigned depth)
{
    if (depth == 0)
        return malloc(SIZE);
    return path & 1 ? left(path >> 1, depth - 1) : right(path >> 1, depth - 1);
}

static NOINLINE void *left(uint64_t path, unsigned depth)
{
    void *block = further(path, depth);
    __asm__ volatile("" ::: "memory");
    return block;
}

static NOINLINE void *right(uint64_t path, unsigned depth)
{
    void *block = further(path, depth);
    __asm__ volatile("" ::: "memory");
    return block;
}

static void count(uint64_t *counter)
{
    ts_store_release(counter, *counter + 1);
}

static void make_child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        free(malloc(SIZE));
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void *work(void *argument)
{
    uintptr_t self = (uintptr_t)argument;
    uint64_t random = self + 1;
    void *slots[SLOTS] = {NULL};
    for (uint64_t i = 1;; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        void **slot = &slots[random >> 40 & (SLOTS - 1)];
        int which = *slot != NULL;
        count(&page->books[self].begun[which]);
        if (which)
            free(*slot);
        *slot = which ? NULL : further(random >> 20, 14);
        count(&page->books[self].ended[which]);
        if (self == 0 && i % FORK_EVERY == 0)
            make_child();
    }
    return NULL;
}

static int write_all_the_time(const char *path)
{
    int fd = open(path, O_RDWR);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return 1;
    for (uintptr_t i = 1; i < THREADS; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, (void *)i);
    }
    work((void *)0);
    return 0;
}

/* ------------------------------------------------------------------ the reader */

static uint64_t captures, contexts, wrong, started;
static const char *lib;

struct sums {
    uint64_t begun[2], ended[2];
};

static struct sums sums(void)
{
    struct sums all = {{0, 0}, {0, 0}};
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < 2; j++) {
            all.ended[j] += ts_load_acquire(&page->books[i].ended[j]);
            all.begun[j] += ts_load_acquire(&page->books[i].begun[j]);
        }
    return all;
}

/* Blocks of the writer's own size, allocated and freed. */
static void found(const struct capture *capture, uint64_t counts[2])
{
    counts[0] = counts[1] = 0;
    for (uint32_t i = 0; i < capture->context_count; i++) {
        const struct capture_values *values = &capture->contexts[i].values;
        if (values->allocated_size != values->allocated_count * SIZE)
            continue;
        counts[0] += values->allocated_count;
        counts[1] += values->freed_count;
        contexts++;
    }
}

static void say(const char *what, uint64_t number)
{
    if (wrong++ < 5)
        printf("# %s %" PRIu64 "\n", what, number);
}

/* false: there is no region yet. */
static bool look(const char *region)
{
    struct error error = {""};
    struct sums before = sums();
    uint64_t counts[2];
    struct capture *capture = source_open(region, &error);
    if (capture == NULL) {
        if (before.ended[0] != 0)
            say(error.text, before.ended[0]);
        return false;
    }
    struct sums after = sums();
    found(capture, counts);
    for (int i = 0; i < 2; i++) {
        if (counts[i] < before.ended[i])
            say(i ? "frees lost:" : "allocations lost:", before.ended[i] - counts[i]);
        if (counts[i] > after.begun[i])
            say(i ? "too many frees:" : "too many allocations:", counts[i] - after.begun[i]);
    }
    for (int i = 0; i < TS_DROP_COUNT; i++)
        if (capture->drops[i] != 0)
            say("drops:", capture->drops[i]);
    if (captures % 16 == 0 && !keeps_promises(capture))
        say("a promise is broken in capture", captures);
    capture_free(capture);
    captures++;
    return true;
}

static pid_t start_writer(const char *self, const char *page_path)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    setenv("LD_PRELOAD", lib, 1);
    execl(self, self, "writer", page_path, (char *)NULL);
    _exit(127);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* As this process sees it: what leads through the writer's own /proc ends with the writer. */
static bool find(pid_t pid, char region[PATH_MAX])
{
    struct error error;
    char root[32];
    int length = snprintf(root, sizeof root, "/proc/%d/root/", (int)pid);
    if (region_find((uint32_t)pid, region, &error) != 0)
        return false;
    if (strncmp(region, root, (size_t)length) == 0)
        memmove(region, region + length - 1, strlen(region + length - 1) + 1);
    return true;
}

static void one_kill(const char *self, unsigned *seed)
{
    char region[PATH_MAX];
    struct error error;
    const char *page_path = scratch_path("page");
    int fd = open(page_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *page) != 0)
        exit(99);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    pid_t pid = start_writer(self, page_path);
    bool known = false;
    uint64_t end = 0;
    for (uint64_t i = 0; end == 0 || now() < end; i++) {
        known = known || find(pid, region);
        bool ready = known && look(region);
        if (end == 0 && (ready || waitpid(pid, NULL, WNOHANG) == pid))
            end = now() + (uint64_t)rand_r(seed) % LATEST;
        if (ready && i % 8 == 3)
            region_control(region, REGION_RESET_PEAK, &error);
        if (!ready)
            usleep(200);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (known && look(region))
        started++;
    else
        say("a writer had no region", 0);
    unlink(region);
    munmap(page, sizeof *page);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "writer") == 0)
        return write_all_the_time(argv[2]);
    uint64_t kills = argc > 1 ? strtoull(argv[1], NULL, 10) : 20;
    unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    lib = getenv("TRACESNAP_LIB");
    if (length < 0 || lib == NULL) {
        printf("Bail out! TRACESNAP_LIB is not set: run this by 'make check'\n");
        return 99;
    }
    self[length] = '\0';
    scratch_make();
    for (uint64_t i = 0; i < kills; i++)
        one_kill(self, &seed);
    scratch_remove();
    printf("# kills survived %" PRIu64 "\n# captures %" PRIu64 "\n# contexts %" PRIu64 "\n", started,
           captures, contexts);
    printf("%sok 1 - each capture until the kill and after it has what had ended, and no more than had"
           " begun\n1..1\n",
           wrong == 0 ? "" : "not ");
    return wrong != 0;
}
