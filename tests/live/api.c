/*
 * A program that asks the tracer that it runs under. It is compiled as C11 and as C++, and run with
 * and without the library by api_test.py. Everything that is wrong is one line on standard output;
 * "done" is the last.
 *
 *     api untraced|traced|paused|flight DIRECTORY
 */
#include "include/tracesnap.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define CHECK(condition) check((condition) ? 1 : 0, #condition, __LINE__)
#define CHECK_MEMORY(current, peak) check_memory((current), (peak), __LINE__)

#define EXPLAINED 20 /* failures */

static char directory[2000];
static int failures;

static void check(int condition, const char *text, int line)
{
    if (!condition && failures++ < EXPLAINED)
        printf("line %d: not so: %s\n", line, text);
}

static void check_memory(size_t expected, size_t expected_peak, int line)
{
    size_t current = 1, peak = 1;
    check(tracesnap_get_traced_memory(&current, &peak) == 0, "get_traced_memory", line);
    if ((current != expected || peak != expected_peak) && failures++ < EXPLAINED)
        printf("line %d: %zu live, peak %zu, not %zu and %zu\n", line, current, peak, expected,
               expected_peak);
}

/* What the tool must find in a snapshot. */
static void expect_snapshot(const char *path, size_t count, size_t size, size_t allocated_count,
                            size_t allocated_size, size_t peak)
{
    printf("snapshot %s %zu %zu %zu %zu %zu\n", path, count, size, allocated_count, allocated_size,
           peak);
}

static char *path_of(char path[2100], const char *name)
{
    snprintf(path, 2100, "%s/%s", directory, name);
    return path;
}

#ifdef __cplusplus
extern "C" {
#endif

void *allocate_here(size_t size);
void *allocate_there(size_t size);
void *steady_block(void);

NOINLINE void *allocate_here(size_t size)
{
    void *volatile block = malloc(size);
    return block;
}

NOINLINE void *allocate_there(size_t size)
{
    void *volatile block = allocate_here(size);
    return block;
}

#define STEADY_SIZE 3001
NOINLINE void *steady_block(void)
{
    void *volatile block = malloc(STEADY_SIZE);
    return block;
}

#ifdef __cplusplus
}
#endif

static void untraced(void)
{
    size_t current = 1, peak = 1;
    struct tracesnap_frame frame;
    char path[2100];
    void *block = allocate_here(100);
    CHECK(tracesnap_is_tracing() == 0);
    CHECK(tracesnap_start() == -1);
    CHECK(tracesnap_is_tracing() == 0);
    CHECK(tracesnap_stop() == -1);
    CHECK(tracesnap_clear_traces() == -1);
    CHECK(tracesnap_reset_peak() == -1);
    CHECK(tracesnap_get_traced_memory(&current, &peak) == -1);
    CHECK(current == 0 && peak == 0);
    CHECK(tracesnap_get_traced_memory(NULL, NULL) == -1);
    CHECK(tracesnap_get_object_traceback(block, &frame, 1) == 0);
    CHECK(tracesnap_take_snapshot(path_of(path, "untraced.tsnap")) == -1);
    CHECK(access(path, F_OK) != 0);
    free(block);
}

/* The function whose code a frame lies in, if the frame is in the program itself. */
static const char *function_of(const struct tracesnap_frame *frame)
{
    Dl_info own, info;
    struct link_map *map = NULL;
    char *path = realpath("/proc/self/exe", NULL);
    int is_own = path != NULL && strcmp(frame->object, path) == 0;
    free(path);
    if (!is_own)
        return frame->object;
    if (!dladdr1((void *)(uintptr_t)&allocate_here, &own, (void **)&map, RTLD_DL_LINKMAP) ||
        !dladdr((void *)(map->l_addr + frame->offset), &info) || info.dli_sname == NULL)
        return "no function";
    return info.dli_sname;
}

static void traceback(void)
{
    struct tracesnap_frame frames[64];
    void *block = allocate_there(300);
    size_t count = tracesnap_get_object_traceback(block, frames, 64);
    CHECK(count >= 3 && count < 64);
    if (count >= 3) {
        CHECK(strcmp(function_of(&frames[0]), "allocate_here") == 0);
        CHECK(strcmp(function_of(&frames[1]), "allocate_there") == 0);
    }
    frames[1].object = "untouched";
    CHECK(tracesnap_get_object_traceback(block, frames, 1) == 1);
    CHECK(strcmp(frames[1].object, "untouched") == 0);
    CHECK(tracesnap_get_object_traceback(block, frames, 0) == 0);
    CHECK(tracesnap_get_object_traceback((char *)block + 16, frames, 64) == 0);
    CHECK(tracesnap_get_object_traceback(frames, frames, 64) == 0);
    CHECK(tracesnap_get_object_traceback(NULL, frames, 64) == 0);
    block = realloc(block, 100000);
    CHECK(tracesnap_get_object_traceback(block, frames, 64) == count - 2);
    volatile uintptr_t address = (uintptr_t)block; /* only asked about, never used */
    free(block);
    CHECK(tracesnap_get_object_traceback((void *)address, frames, 64) == 0);
}

/* Up to 64 KiB every maximum is a peak. */
static void small_peaks(void)
{
    void *blocks[64] = {NULL};
    size_t sizes[64] = {0}, live = 0, peak = 0;
    uint32_t random = 1;
    tracesnap_clear_traces();
    for (int i = 0; i < 20000; i++) {
        random = random * 1664525u + 1013904223u;
        size_t at = random >> 26;
        free(blocks[at]);
        live -= sizes[at];
        sizes[at] = random % 5 == 0 ? 0 : (random >> 10) % 1000;
        blocks[at] = malloc(sizes[at]);
        live += sizes[at];
        peak = live > peak ? live : peak;
        CHECK_MEMORY(live, peak);
        if (i % 5000 == 4999) {
            CHECK(tracesnap_reset_peak() == 0);
            peak = live;
            CHECK_MEMORY(live, peak);
        }
    }
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    CHECK_MEMORY(0, peak);
}

static void large_peak(void)
{
    void *blocks[50];
    size_t current = 0, peak = 0, live = 0;
    tracesnap_clear_traces();
    for (int i = 0; i < 50; i++) {
        blocks[i] = malloc(100000u + (size_t)i);
        live += 100000u + (size_t)i;
        CHECK(tracesnap_get_traced_memory(&current, NULL) == 0 && current == live);
    }
    for (int i = 0; i < 50; i++)
        free(blocks[i]);
    CHECK(tracesnap_get_traced_memory(&current, &peak) == 0 && current == 0);
    CHECK(peak <= live && peak >= live - live / 100);
    CHECK(tracesnap_get_traced_memory(NULL, NULL) == 0);
}

static void totals(void)
{
    tracesnap_clear_traces();
    CHECK_MEMORY(0, 0);
    void *a = allocate_here(1000), *b = allocate_here(500), *nothing = allocate_here(0);
    CHECK_MEMORY(1500, 1500);
    free(a);
    CHECK_MEMORY(500, 1500);
    CHECK(tracesnap_reset_peak() == 0);
    CHECK_MEMORY(500, 500);
    b = realloc(b, 700);
    CHECK_MEMORY(700, 700);
    CHECK(tracesnap_clear_traces() == 0);
    CHECK_MEMORY(0, 0);
    free(b);
    free(nothing);
    CHECK_MEMORY(0, 0);
}

static void stop_and_start(void)
{
    struct tracesnap_frame frame;
    void *before = allocate_here(11);
    CHECK(tracesnap_is_tracing() == 1);
    CHECK(tracesnap_stop() == 0);
    CHECK(tracesnap_is_tracing() == 0);
    CHECK_MEMORY(0, 0);
    void *during = allocate_here(12);
    CHECK_MEMORY(0, 0);
    CHECK(tracesnap_start() == 0 && tracesnap_is_tracing() == 1);
    CHECK(tracesnap_start() == 0 && tracesnap_is_tracing() == 1);
    CHECK(tracesnap_get_object_traceback(before, &frame, 1) == 0);
    CHECK(tracesnap_get_object_traceback(during, &frame, 1) == 0);
    void *after = allocate_here(13);
    CHECK_MEMORY(13, 13);
    free(before);
    free(during);
    CHECK_MEMORY(13, 13);
    free(after);
    CHECK_MEMORY(0, 13);
}

static void snapshots(void)
{
    void *blocks[20];
    char one[2100], two[2100], nowhere[2100];
    tracesnap_clear_traces();
    for (int i = 0; i < 10; i++)
        blocks[i] = allocate_here(1000);
    for (int i = 0; i < 3; i++)
        free(blocks[i]);
    CHECK(tracesnap_take_snapshot(path_of(one, "one.tsnap")) == 0);
    for (int i = 10; i < 15; i++)
        blocks[i] = allocate_there(200);
    CHECK(tracesnap_take_snapshot(path_of(two, "two.tsnap")) == 0);
    expect_snapshot(one, 7, 7000, 10, 10000, 10000);
    expect_snapshot(two, 12, 8000, 15, 11000, 10000);
    errno = 0;
    CHECK(tracesnap_take_snapshot(path_of(nowhere, "nowhere/at.tsnap")) == -1 && errno == ENOENT);
    errno = 0;
    CHECK(tracesnap_take_snapshot(directory) == -1 && errno == EISDIR);
    for (int i = 3; i < 15; i++)
        free(blocks[i]);
}

#define FLYING 3 /* threads */
#define STEADY 20

static volatile int stop_flying;

static void *fly(void *argument)
{
    void *list[STEADY];
    for (int i = 0; i < STEADY; i++)
        list[i] = steady_block();
    __atomic_add_fetch((int *)argument, 1, __ATOMIC_RELEASE);
    for (int i = 0; !stop_flying; i = (i + 1) % STEADY) {
        void *old = list[i];
        list[i] = steady_block();
        free(old);
    }
    for (int i = 0; i < STEADY; i++)
        free(list[i]);
    return NULL;
}

/* Snapshots from inside while others are at work: each of their lists has its length. */
static void flight(void)
{
    pthread_t threads[FLYING];
    char name[32], path[2100];
    int ready = 0;
    for (int i = 0; i < FLYING; i++)
        CHECK(pthread_create(&threads[i], NULL, fly, &ready) == 0);
    while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) != FLYING)
        usleep(1000);
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "flight%d.tsnap", i);
        CHECK(tracesnap_take_snapshot(path_of(path, name)) == 0);
        printf("steady %s %d %d %d\n", path, STEADY * FLYING,
               STEADY * FLYING + FLYING, STEADY_SIZE);
        usleep(2000);
    }
    stop_flying = 1;
    for (int i = 0; i < FLYING; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    const char *mode = argc == 3 ? argv[1] : "";
    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer)); /* that of stdio would be counted */
    snprintf(directory, sizeof(directory), "%s", argc == 3 ? argv[2] : "");
    if (strcmp(mode, "untraced") == 0)
        untraced();
    if (strcmp(mode, "flight") == 0)
        flight();
    if (strcmp(mode, "paused") == 0) {
        CHECK(tracesnap_is_tracing() == 0);
        CHECK(tracesnap_start() == 0);
    }
    if (strcmp(mode, "traced") == 0 || strcmp(mode, "paused") == 0) {
        totals();
        stop_and_start();
        small_peaks();
        large_peak();
        traceback();
        snapshots();
    }
    printf("done\n");
    return 0;
}
