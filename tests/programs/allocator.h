/*
 * The body of the fixtures that are linked with an allocator of their own: it must go on serving
 * the program when it is traced, and what it serves must be recorded. Each defines
 *     bool is_mine(void *block, size_t size)   did the allocator under test serve this live block?
 */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <malloc.h>
#include <pthread.h>
#include <string.h>

static bool is_mine(void *block, size_t size);

static void *kept[1000];

static void *work(void *unused)
{
    void *mine[100];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 100; i++)
            mine[i] = EXPECT_MALLOC((size_t)(i * 7 % 60));
        for (int i = 0; i < 100; i++)
            EXPECT_FREE(mine[i]);
    }
    return EXPECT_MALLOC(5) == NULL ? unused : EXPECT_CALLOC(3, 5);
}

static void family(void)
{
    volatile size_t zero = 0;
    void *aligned = NULL;
    void *p = EXPECT_CALLOC(10, 100);
    EXPECT_TRUE(is_mine(p, 1000));
    p = EXPECT_REALLOC(p, 5000);
    EXPECT_TRUE(is_mine(p, 5000));
    p = EXPECT_REALLOC(p, zero);
    EXPECT_CALL(posix_memalign(&aligned, 4096, 100) == 0 ? aligned : NULL, 100);
    EXPECT_TRUE(is_mine(aligned, 100) && (uintptr_t)aligned % 4096 == 0);
    aligned = EXPECT_CALL(aligned_alloc(64, 640), 640);
    EXPECT_TRUE(is_mine(aligned, 640) && (uintptr_t)aligned % 64 == 0);
    aligned = EXPECT_CALL(memalign(128, 10), 10);
    EXPECT_TRUE(is_mine(aligned, 10) && (uintptr_t)aligned % 128 == 0);
    EXPECT_FREE(aligned);
    void *big = EXPECT_MALLOC(10 << 20);
    EXPECT_TRUE(is_mine(big, 10 << 20));
    EXPECT_FREE(big);
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 1000; i++) {
        kept[i] = EXPECT_MALLOC((size_t)i);
        EXPECT_TRUE(is_mine(kept[i], (size_t)i));
        EXPECT_TRUE(malloc_usable_size(kept[i]) >= (size_t)i);
        memset(kept[i], 1, malloc_usable_size(kept[i]));
    }
    for (int i = 0; i < 1000; i += 2)
        EXPECT_FREE(kept[i]);
    family();
    for (int i = 0; i < 4; i++)
        EXPECT_HIDDEN(EXPECT_TRUE(pthread_create(&threads[i], NULL, work, NULL) == 0));
    for (int i = 0; i < 4; i++)
        EXPECT_TRUE(pthread_join(threads[i], NULL) == 0);
    expect_report();
    return 0;
}

#endif
