/*
 * Some blocks are freed by a function of the allocator that is not interposed, as sdallocx, mi_free
 * and tc_free are elsewhere. What the index knows of them must harm neither the blocks that come to
 * their place nor a forked child, which looks at all of them.
 */
#include "tests/faults/fault.h"

#include <sys/wait.h>

#define BLOCKS 512
#define ROUNDS 1000000
#define FORKS 20

extern void __libc_free(void *);

static void *blocks[BLOCKS];

static unsigned draw(void)
{
    static unsigned state = 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void change(void)
{
    unsigned which = draw() % BLOCKS;
    if (draw() % 16 == 0)
        __libc_free(blocks[which]);
    else
        free(blocks[which]);
    blocks[which] = FAULT_MALLOC(draw() % 7000 + 1);
}

static void fork_once(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < BLOCKS; i++)
            free(blocks[i]);
        _exit(0);
    }
    FAULT_TRUE(waitpid(child, &status, 0) == child);
    FAULT_EQUAL(status, 0);
}

int main(void)
{
    for (int i = 1; i <= ROUNDS; i++) {
        change();
        if (i % (ROUNDS / FORKS) == 0)
            fork_once();
    }
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return 0;
}
