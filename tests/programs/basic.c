/*
 * The plain case: several lines, functions and sizes, some blocks freed, some by another line, some
 * never.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#define N 1000

static void *kept[N];

static void *make(size_t size)
{
    return EXPECT_MALLOC(size);
}

static void fill(void)
{
    for (size_t i = 0; i < N; i++)
        kept[i] = make(i % 100 + 1);
}

static void thin_out(void)
{
    for (size_t i = 0; i < N; i += 3) {
        EXPECT_FREE(kept[i]);
        kept[i] = NULL;
    }
}

int main(void)
{
    void *first = EXPECT_MALLOC(24);
    void *second = EXPECT_CALLOC(3, 111);
    fill();
    thin_out();
    EXPECT_FREE(first);
    void *a = EXPECT_MALLOC(77), *b = NULL;
    for (int i = 0; i < 10; i++) {
        b = EXPECT_MALLOC(40);
        EXPECT_FREE(b);
    }
    free(NULL);
    EXPECT_TRUE(((char *)second)[332] == 0);
    EXPECT_TRUE(a != NULL);
    expect_report();
    return 0;
}
