/*
 * Exceptions through frames with allocations, longjmp out of them, and what follows: no cached
 * stack may be believed after its frames are gone. The exception objects themselves belong to the
 * line that throws.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <csetjmp>

struct Error {
    int depth;
};

static jmp_buf back;
static void *kept;

static __attribute__((noinline)) void dive(int depth, bool jump)
{
    kept = EXPECT_MALLOC(16);
    if (depth == 0) {
        if (jump)
            longjmp(back, 1);
        EXPECT_HIDDEN(throw Error{depth});
    }
    dive(depth - 1, jump);
    EXPECT_TRUE(false);
}

static __attribute__((noinline)) void catch_it(int depth)
{
    void *guard = EXPECT_MALLOC(100);
    try {
        dive(depth, false);
    } catch (const Error &error) {
        kept = EXPECT_MALLOC((size_t)error.depth + 20);
    }
    EXPECT_FREE(guard);
}

static __attribute__((noinline)) void jump_out(int depth)
{
    if (setjmp(back) == 0)
        dive(depth, true);
    else
        kept = EXPECT_MALLOC(40);
}

int main()
{
    for (int i = 0; i < 20; i++) {
        catch_it(i);
        jump_out(20 - i);
        kept = EXPECT_MALLOC(3);
    }
    expect_report();
    return 0;
}
