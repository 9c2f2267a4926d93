/*
 * An interpreter inside a C program, opened late and locally: embed LIBRARY HOME SCRIPT [ROUNDS]
 * [close | own]. own: its allocators are the program's, which call malloc.
 * SCRIPT is run once a round, between Py_Initialize and Py_FinalizeEx. Before, between and after, the
 * program has blocks of its own: 11, 13 and 17 of 1000 bytes in keep_before, keep_between, keep_after.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *volatile kept[64]; /* so that the compiler leaves them */
static int count;

#define KEEP(name, n)                                                                              \
    __attribute__((noinline)) void name(void)                                                      \
    {                                                                                              \
        for (int i = 0; i < n; i++)                                                                \
            kept[count++] = malloc(1000);                                                          \
    }
KEEP(keep_before, 11)
KEEP(keep_between, 13)
KEEP(keep_after, 17)

struct allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
};

/* Not jumped to: malloc's caller is the program. */
static void *own_malloc(void *ctx, size_t size)
{
    void *volatile block = malloc(size ? size : 1);
    return block;
}

static void *own_calloc(void *ctx, size_t count, size_t size)
{
    void *volatile block = calloc(count ? count : 1, size ? size : 1);
    return block;
}

static void *own_realloc(void *ctx, void *block, size_t size)
{
    void *volatile moved = realloc(block, size ? size : 1);
    return moved;
}

static void own_free(void *ctx, void *block)
{
    free(block);
}

static void *function(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL)
        exit(3);
    return found;
}

int main(int argc, char **argv)
{
    int rounds = argc > 4 ? atoi(argv[4]) : 1;
    keep_before();
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    for (int domain = 0; argc > 5 && strcmp(argv[5], "own") == 0 && domain < 3; domain++) {
        struct allocator own = {NULL, own_malloc, own_calloc, own_realloc, own_free};
        ((void (*)(int, struct allocator *))function(library, "PyMem_SetAllocator"))(domain, &own);
    }
    setenv("PYTHONHOME", argv[2], 1);
    for (int i = 0; i < rounds; i++) {
        ((void (*)(int))function(library, "Py_InitializeEx"))(0);
        ((int (*)(const char *, void *))function(library, "PyRun_SimpleStringFlags"))(argv[3], NULL);
        if (i == 0)
            keep_between();
        ((int (*)(void))function(library, "Py_FinalizeEx"))();
    }
    if (argc > 5 && strcmp(argv[5], "close") == 0)
        dlclose(library);
    keep_after();
    for (int i = 0; i < 1000; i++)
    {
        kept[63] = malloc(100 + i);
        free(kept[63]);
    }
    abort();
}
