/*
 * Chains of realloc: a block belongs to the line that gave it its present size; a failed call
 * leaves it where it was; size 0 frees.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <errno.h>

static void *grow_by_doubling(void)
{
    void *p = NULL;
    for (size_t size = 16; size <= 1 << 20; size *= 2)
        p = EXPECT_REALLOC(p, size);
    return p;
}

static void shrink(void)
{
    void *p = EXPECT_MALLOC(100000);
    p = EXPECT_REALLOC(p, 50000);
    p = EXPECT_REALLOC(p, 10);
    EXPECT_TRUE(p != NULL);
}

static void fail(void)
{
    volatile size_t impossible = SIZE_MAX - 4096;
    void *p = EXPECT_MALLOC(1234);
    errno = 0;
    EXPECT_TRUE(EXPECT_REALLOC(p, impossible) == NULL);
    EXPECT_TRUE(errno == ENOMEM);
    void *q = EXPECT_MALLOC(4321);
    errno = 0;
    EXPECT_TRUE(EXPECT_REALLOC(q, impossible) == NULL);
    EXPECT_TRUE(errno == ENOMEM);
    EXPECT_FREE(q);
}

static void to_zero(void)
{
    volatile size_t zero = 0;
    void *p = EXPECT_MALLOC(500);
    EXPECT_TRUE(EXPECT_REALLOC(p, zero) == NULL);
    void *q = EXPECT_REALLOC(NULL, zero);
    EXPECT_TRUE(q != NULL);
}

static void interleaved(void)
{
    void *p[50];
    for (int i = 0; i < 50; i++)
        p[i] = EXPECT_MALLOC(10 + (size_t)i);
    for (int round = 2; round < 30; round++)
        for (int i = 0; i < 50; i++)
            p[i] = EXPECT_REALLOC(p[i], (size_t)(10 + i * round * 7 % 900));
    for (int i = 0; i < 50; i += 2)
        EXPECT_FREE(p[i]);
}

int main(void)
{
    void *big = grow_by_doubling();
    shrink();
    fail();
    to_zero();
    interleaved();
    EXPECT_FREE(EXPECT_REALLOC(EXPECT_MALLOC(5), 6));
    EXPECT_FREE(big);
    expect_report();
    return 0;
}
