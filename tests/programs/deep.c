/*
 * Stacks deeper than the bound of 256 frames: the outermost ones are cut off and the cut is
 * counted, but no byte is lost and the allocating lines stay right.
 * @drops depth_cut
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

static void *last;

static __attribute__((noinline)) int descend(int depth)
{
    char pad[64] = {(char)depth};
    if (depth % 2 == 0)
        last = EXPECT_MALLOC(sizeof pad);
    int below = depth == 0 ? 0 : descend(depth - 1);
    if (depth % 5 == 0)
        EXPECT_FREE(EXPECT_MALLOC(7));
    return below + 1 + (pad[0] != (char)depth);
}

int main(void)
{
    EXPECT_TRUE(descend(300) == 301);
    EXPECT_TRUE(descend(3000) == 3001);
    EXPECT_TRUE(descend(20) == 21);
    expect_report();
    return 0;
}
