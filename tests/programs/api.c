/*
 * include/tracesnap.h: each function does what its comment says, traced and untraced. Never
 * compiled as position-dependent code: there the linker makes a weak reference 0 for good. Never
 * sampled: it compares the library's totals with its own.
 * @without sampled
 * @build -fPIE
 * @snapshot api.tsnap
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include "include/tracesnap.h"

#include <errno.h>
#include <string.h>

#define MANY 300

static void *blocks[MANY];

static void untraced(void)
{
    size_t current = 1, peak = 1;
    struct tracesnap_frame frame;
    EXPECT_TRUE(tracesnap_start() == -1 && tracesnap_stop() == -1);
    EXPECT_TRUE(tracesnap_clear_traces() == -1 && tracesnap_reset_peak() == -1);
    EXPECT_TRUE(tracesnap_get_traced_memory(&current, &peak) == -1 && current == 0 && peak == 0);
    EXPECT_TRUE(tracesnap_get_object_traceback(blocks[0], &frame, 1) == 0);
    EXPECT_TRUE(tracesnap_take_snapshot("api.tsnap") == -1);
}

static __attribute__((noinline)) void *inner(size_t size)
{
    void *p = EXPECT_MALLOC(size);
    EXPECT_TRUE(p != NULL);
    return p;
}

static __attribute__((noinline)) void *outer(size_t size)
{
    void *p = inner(size);
    ((char *)p)[0] = 1;
    return p;
}

/* One thread, nothing hidden: the figures are those of the books, to the byte. */
static void check_memory(void)
{
    size_t current, peak, live = expect_live();
    EXPECT_TRUE(tracesnap_get_traced_memory(&current, &peak) == 0);
    EXPECT_TRUE(current == live && peak >= current);

    EXPECT_TRUE(tracesnap_reset_peak() == 0);
    EXPECT_TRUE(tracesnap_get_traced_memory(NULL, &peak) == 0 && peak == live);
    void *large = EXPECT_MALLOC(10 << 20);
    EXPECT_FREE(large);
    EXPECT_TRUE(tracesnap_get_traced_memory(&current, &peak) == 0);
    EXPECT_TRUE(current == live && peak == live + (10 << 20));
}

static void check_traceback(void)
{
    struct tracesnap_frame frames[64], again[64];
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    EXPECT_TRUE(length > 0);
    self[length] = '\0';

    void *p = outer(99), *q = inner(99);
    size_t count = tracesnap_get_object_traceback(p, frames, 64);
    size_t fewer = tracesnap_get_object_traceback(q, again, 64);
    /* inner, outer, check_traceback, main and libc's start; the compiler may inline main's callee */
    EXPECT_TRUE(count >= 4 && fewer == count - 1);
    for (int i = 0; i < 3; i++)
        EXPECT_TRUE(strcmp(frames[i].object, self) == 0 && frames[i].offset != 0);
    EXPECT_TRUE(frames[0].offset == again[0].offset && frames[1].offset != again[1].offset);
    EXPECT_TRUE(strstr(frames[count - 2].object, "libc") != NULL);
    EXPECT_TRUE(tracesnap_get_object_traceback(p, frames, 2) == 2);
    EXPECT_TRUE(tracesnap_get_object_traceback((char *)p + 1, frames, 64) == 0);
    EXPECT_TRUE(tracesnap_get_object_traceback(self, frames, 64) == 0);
    EXPECT_FREE(p);
    EXPECT_TRUE(tracesnap_get_object_traceback(p, frames, 64) == 0);
}

static void check_stop(void)
{
    struct tracesnap_frame frame;
    size_t current, peak;
    EXPECT_TRUE(tracesnap_is_tracing() == 1);
    EXPECT_TRUE(tracesnap_stop() == 0 && tracesnap_is_tracing() == 0);
    expect_clear();
    void *volatile unseen = malloc(12345);
    EXPECT_TRUE(tracesnap_get_traced_memory(&current, &peak) == 0 && current == 0 && peak == 0);
    EXPECT_TRUE(tracesnap_get_object_traceback(unseen, &frame, 1) == 0);
    EXPECT_TRUE(tracesnap_start() == 0 && tracesnap_is_tracing() == 1);
    free(unseen);
}

static void check_clear(void)
{
    EXPECT_TRUE(tracesnap_clear_traces() == 0);
    expect_clear();
    for (int i = 0; i < MANY; i++) /* allocated before: nothing goes below zero */
        EXPECT_FREE(blocks[i]);
    for (int i = 0; i < MANY; i++)
        blocks[i] = EXPECT_MALLOC((size_t)i);
    for (int i = 0; i < MANY; i += 3)
        EXPECT_FREE(blocks[i]);
}

int main(void)
{
    for (int i = 0; i < MANY; i++)
        blocks[i] = EXPECT_CALLOC(1, (size_t)i);
    if (!tracesnap_is_tracing()) {
        untraced();
        expect_report();
        return 0;
    }
    check_memory();
    check_traceback();
    check_stop();
    check_clear();
    check_memory();
    EXPECT_TRUE(tracesnap_take_snapshot("no/such/directory/x.tsnap") == -1 && errno == ENOENT);
    EXPECT_TRUE(tracesnap_take_snapshot("api.tsnap") == 0);
    expect_report();
    return 0;
}
