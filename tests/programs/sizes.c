/*
 * Sizes at the edges: nothing, at the mmap threshold, 100 MiB that are never touched, and
 * impossible ones.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <errno.h>

static void nothing(void)
{
    void *p[100];
    for (int i = 0; i < 100; i++)
        p[i] = EXPECT_MALLOC(0);
    for (int i = 0; i < 100; i += 5)
        EXPECT_FREE(p[i]);
    volatile size_t zero = 0;
    EXPECT_TRUE(EXPECT_CALLOC(zero, 8) != NULL);
}

static void huge(void)
{
    for (int i = 0; i < 20; i++) {
        size_t size = (256u << 10) + (size_t)i * 4096 - 1;
        char *p = EXPECT_MALLOC(size);
        p[0] = p[size - 1] = 1;
        if (i % 2 == 0)
            EXPECT_FREE(p);
    }
    char *untouched = EXPECT_CALLOC(100, 1 << 20);
    EXPECT_TRUE(untouched[50 << 20] == 0);
    char *gone = EXPECT_MALLOC((size_t)64 << 20);
    EXPECT_TRUE(gone != NULL);
    EXPECT_FREE(gone);
}

static void impossible(void)
{
    volatile size_t too_much = SIZE_MAX - 64, half = SIZE_MAX / 2;
    errno = 0;
    EXPECT_TRUE(EXPECT_MALLOC(too_much) == NULL && errno == ENOMEM);
    errno = 0;
    EXPECT_TRUE(EXPECT_CALLOC(half, 4) == NULL && errno == ENOMEM);
}

int main(void)
{
    nothing();
    huge();
    impossible();
    expect_report();
    return 0;
}
