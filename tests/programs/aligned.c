/*
 * The rest of the malloc family: each charges the requested size, also where the allocator rounds
 * it up, and each keeps its alignment.
 */
#include <malloc.h>

#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <errno.h>

static bool is_aligned(void *p, size_t alignment)
{
    return p != NULL && (uintptr_t)p % alignment == 0;
}

static void *at_alignment(size_t alignment, size_t size)
{
    void *p = NULL;
    return EXPECT_CALL(posix_memalign(&p, alignment, size) == 0 ? p : NULL, size);
}

static void zeroed(void)
{
    char *p = EXPECT_CALLOC(1000, 10);
    for (int i = 0; i < 10000; i++)
        EXPECT_TRUE(p[i] == 0);
}

int main(void)
{
    size_t page = (size_t)getpagesize();
    EXPECT_TRUE(is_aligned(EXPECT_CALL(aligned_alloc(64, 100), 100), 64));
    EXPECT_TRUE(is_aligned(EXPECT_CALL(memalign(256, 33), 33), 256));
    EXPECT_TRUE(is_aligned(EXPECT_CALL(valloc(10), 10), page));
    EXPECT_TRUE(is_aligned(EXPECT_CALL(pvalloc(page + 1), page + 1), page));
    for (size_t alignment = sizeof(void *); alignment <= 1u << 16; alignment *= 2)
        EXPECT_TRUE(is_aligned(at_alignment(alignment, alignment + 3), alignment));
    EXPECT_TRUE(at_alignment(3, 10) == NULL);

    void *array = EXPECT_CALL(reallocarray(NULL, 7, 13), 7 * 13);
    array = EXPECT_REALLOC_CALL(reallocarray(array, 70, 13), array, (size_t)70 * 13);
    errno = 0;
    volatile size_t huge = SIZE_MAX / 2;
    EXPECT_TRUE(EXPECT_REALLOC_CALL(reallocarray(array, huge, 13), array, huge) == NULL);
    EXPECT_TRUE(errno == ENOMEM);
    zeroed();

    void *freed = EXPECT_CALL(aligned_alloc(4096, 4096), 4096);
    EXPECT_TRUE(malloc_usable_size(freed) >= 4096);
    EXPECT_FREE(freed);
    expect_report();
    return 0;
}
