/*
 * Recursion: the same line at many depths, one function and two that call each other; stacks that
 * share their outer frames and differ in the inner ones.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

static void *last;

static __attribute__((noinline)) int descend(int depth)
{
    last = EXPECT_MALLOC((size_t)depth + 1);
    if (depth % 3 == 0)
        EXPECT_FREE(last);
    return depth == 0 ? 0 : 1 + descend(depth - 1);
}

static int odd(int n);

static __attribute__((noinline)) int even(int n)
{
    if (n % 10 == 0)
        last = EXPECT_MALLOC(32);
    return n == 0 ? 0 : 2 + odd(n - 1);
}

static __attribute__((noinline)) int odd(int n)
{
    last = EXPECT_MALLOC(8);
    return n == 0 ? 1 : 3 + even(n - 1);
}

/* A tree of calls: 2^12 leaves, so most captures share all but a few frames with the one before. */
static __attribute__((noinline)) int tree(int level)
{
    if (level == 0) {
        last = EXPECT_MALLOC(5);
        return 1;
    }
    int left = tree(level - 1);
    void *between = EXPECT_MALLOC(50);
    int right = tree(level - 1);
    EXPECT_FREE(between);
    return left + right;
}

int main(void)
{
    EXPECT_TRUE(descend(10) == 10);
    EXPECT_TRUE(descend(100) == 100);
    EXPECT_TRUE(descend(200) == 200);
    EXPECT_TRUE(even(120) == 300);
    EXPECT_TRUE(tree(12) == 4096);
    expect_report();
    return 0;
}
