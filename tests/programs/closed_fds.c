/*
 * A program that closes every descriptor and opens its own in their places: tracing keeps none,
 * writes to none and goes on growing afterwards.
 * The oracle of verify=1 cannot come along: libunwind 1.6 itself closes and reopens the pipe that it
 * believes to be its own.
 * @without verify
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

#include <fcntl.h>
#include <sys/stat.h>

#define DEPTHS 100

static __attribute__((noinline)) void *at_depth(int depth)
{
    void *p = depth == 0 ? EXPECT_MALLOC(21) : at_depth(depth - 1);
    ((volatile char *)p)[0] = 1;
    return p;
}

int main(void)
{
    void *early = EXPECT_MALLOC(500);
    int mine[20];
    char name[] = "/tmp/expect-closed-XXXXXX";
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    for (int i = 0; i < 20; i++) {
        mine[i] = i == 0 ? open("/tmp", O_TMPFILE | O_RDWR, 0600) : dup(mine[0]);
        if (i == 0 && mine[0] < 0) {
            EXPECT_HIDDEN(mine[0] = mkstemp(name));
            unlink(name);
        }
        EXPECT_TRUE(mine[i] == 3 + i);
    }
    for (int depth = 0; depth < DEPTHS; depth++)
        for (int i = 0; i < 10; i++)
            at_depth(depth);
    struct stat status;
    EXPECT_TRUE(fstat(mine[0], &status) == 0 && status.st_size == 0);
    EXPECT_TRUE(lseek(mine[0], 0, SEEK_CUR) == 0);
    for (int i = 0; i < 20; i++)
        EXPECT_TRUE(close(mine[i]) == 0);
    EXPECT_FREE(early);
    expect_report();
    return 0;
}
