/*
 * Code without unwind tables, and frames of any size. Arguments: `plain` and a library of plain.c;
 * `generated`, code made at run time that keeps a frame pointer; `dynamic` and a number of MiB, one
 * frame of that size by alloca; `fixed`, one of 80 MiB by its declaration.
 */
#include "tests/faults/code/jit.h"

#include <alloca.h>
#include <dlfcn.h>

#define ROUNDS 100
#define WIDE ((size_t)80 << 20)

static __attribute__((noinline)) void *work(size_t size)
{
    return FAULT_MALLOC(size);
}

static void plain(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    FAULT_TRUE(library != NULL);
    void *(*call)(size_t) = (void *(*)(size_t))dlsym(library, "plain_outer");
    for (int i = 0; i < ROUNDS; i++)
        free(call(24));
}

/* push %rbp; mov %rsp, %rbp; sub $64, %rsp; call *%rsi; leave; ret: allocate(size) is called so. */
static void generated(void)
{
    static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec,
                                         0x40, 0xff, 0xd6, 0xc9, 0xc3};
    void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT_TRUE(place != MAP_FAILED);
    memcpy(place, code, sizeof code);
    FAULT_EQUAL(mprotect(place, 4096, PROT_READ | PROT_EXEC), 0);
    void *(*call)(size_t, void *(*)(size_t)) = (void *(*)(size_t, void *(*)(size_t)))place;
    for (int i = 0; i < ROUNDS; i++)
        free(call(24, work));
}

static __attribute__((noinline)) void dynamic(size_t size)
{
    char *volatile room = alloca(size);
    room[0] = 1;
    for (int i = 0; i < ROUNDS; i++)
        free(work(24));
    room[1] = 1;
}

static __attribute__((noinline)) void fixed(void)
{
    volatile char room[WIDE];
    room[0] = 1;
    for (int i = 0; i < ROUNDS; i++)
        free(work(24));
    room[1] = 1;
}

int main(int argc, char **argv)
{
    FAULT_TRUE(argc >= 2);
    free(FAULT_MALLOC(1));
    if (strcmp(argv[1], "plain") == 0)
        plain(argv[2]);
    else if (strcmp(argv[1], "generated") == 0)
        generated();
    else if (strcmp(argv[1], "dynamic") == 0)
        dynamic((size_t)atoi(argv[2]) << 20);
    else
        fixed();
    free(FAULT_MALLOC(1));
    return 0;
}
