/*
 * An interpreter inside a C program, opened late and locally: embed LIBRARY HOME SCRIPT [ROUNDS] [close].
 * SCRIPT is run once a round, between Py_Initialize and Py_FinalizeEx. Before, between and after, the
 * program has blocks of its own: 11, 13 and 17 of 1000 bytes in keep_before, keep_between, keep_after.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *kept[64];
static int count;

static __attribute__((noinline)) void keep(int n)
{
    while (n-- > 0)
        kept[count++] = malloc(1000);
}

__attribute__((noinline)) void keep_before(void)
{
    keep(11);
}

__attribute__((noinline)) void keep_between(void)
{
    keep(13);
}

__attribute__((noinline)) void keep_after(void)
{
    keep(17);
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
    int rounds = argc > 4 ? atoi(argv[4]) : 1, failed = 0;
    char script[8192];
    keep_before();
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    setenv("PYTHONHOME", argv[2], 1);
    snprintf(script, sizeof script, "%s", argv[3]);
    for (int i = 0; i < rounds; i++) {
        ((void (*)(int))function(library, "Py_InitializeEx"))(0);
        failed |= ((int (*)(const char *, void *))function(library, "PyRun_SimpleStringFlags"))(script, NULL);
        if (i == 0)
            keep_between();
        failed |= ((int (*)(void))function(library, "Py_FinalizeEx"))();
    }
    if (argc > 5)
        dlclose(library);
    keep_after();
    for (int i = 0; i < 1000; i++) /* new stacks, or not */
        free(malloc(100 + i));
    fflush(stdout);
    abort();
    return failed;
}
