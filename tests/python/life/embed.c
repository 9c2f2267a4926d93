/*
 * An interpreter inside a C program, opened late and locally: embed LIBRARY HOME SCRIPT [ROUNDS]
 * [WAY [SNAPSHOT]]. SCRIPT is run once a round, between Py_Initialize and Py_FinalizeEx. WAY:
 *
 *     close   the library is closed after the last round, and a snapshot is taken
 *     own     its allocators are the program's, which call malloc
 *     fresh   the same, another allocator in each round
 *     reopen  the library is closed and opened again in each round. LIBRARY and HOME may be two,
 *             divided by a colon, that take turns. Each other round is another thread's, while the
 *             first one has blocks that come and go
 *     move    the same, and the library lies elsewhere each time
 *     ensure  in each round the script is run by another thread, many times, and what is left of
 *             its thread state is overwritten each time. Tracing starts when the interpreter is there
 *
 * Before, between and after, the program has blocks of its own: 11, 13 and 17 of 1000 bytes in
 * keep_before, keep_between, keep_after.
 */
#include "include/tracesnap.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static void set_own(void *library, int round)
{
    for (int domain = 0; domain < 3; domain++) {
        struct allocator own = {(void *)(size_t)round, own_malloc, own_calloc, own_realloc,
                                own_free};
        ((void (*)(int, struct allocator *))function(library, "PyMem_SetAllocator"))(domain, &own);
    }
}

static void *open_library(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return library;
}

/* The first of two, divided by a colon, or the other. */
static const char *one_of(char *both, int which)
{
    char *colon = strchr(both, ':');
    if (colon == NULL)
        return both;
    return which ? colon + 1 : strndup(both, colon - both);
}

/* Closes it; what lies where it was is then something else. */
static void close_library(void *library, int moves)
{
    char *at = (char *)((size_t)function(library, "PyMem_SetAllocator") & ~(size_t)4095);
    if (dlclose(library) != 0 || dladdr(at, &(Dl_info){0}) != 0)
        exit(4);
    if (moves &&
        mmap(at, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
        exit(5);
}

struct round {
    void *library;
    const char *script;
    int number, done, ensures;
};

static void run_script(struct round *round)
{
    ((int (*)(const char *, void *))function(round->library, "PyRun_SimpleStringFlags"))(
        round->script, NULL);
}

#define ENSURED 50

static void *ensure(void *argument)
{
    struct round *round = argument;
    char *volatile blocks[100];
    for (int i = 0; i < ENSURED; i++) {
        int held = ((int (*)(void))function(round->library, "PyGILState_Ensure"))();
        run_script(round);
        ((void (*)(int))function(round->library, "PyGILState_Release"))(held);
        for (int n = 1; n < 100; n++) /* where the thread state was, at whatever size */
            blocks[n] = memset(malloc(16 * n), 'A', 16 * n);
        for (int n = 1; n < 100; n++)
            free(blocks[n]);
    }
    return NULL;
}

static void ensure_in_thread(struct round *round)
{
    pthread_t thread;
    tracesnap_start();
    run_script(round);
    void *state = ((void *(*)(void))function(round->library, "PyEval_SaveThread"))();
    pthread_create(&thread, NULL, ensure, round);
    pthread_join(thread, NULL);
    ((void (*)(void *))function(round->library, "PyEval_RestoreThread"))(state);
}

static void *run(void *argument)
{
    struct round *round = argument;
    void *library = round->library;
    ((void (*)(int))function(library, "Py_InitializeEx"))(0);
    if (round->ensures)
        ensure_in_thread(round);
    else
        run_script(round);
    if (round->number == 0)
        keep_between();
    ((int (*)(void))function(library, "Py_FinalizeEx"))();
    __atomic_store_n(&round->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void come_and_go(int size)
{
    kept[63] = malloc(size);
    free(kept[63]);
}

static void run_in_thread(struct round *round)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run, round);
    while (!__atomic_load_n(&round->done, __ATOMIC_ACQUIRE))
        come_and_go(100);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    int rounds = argc > 4 ? atoi(argv[4]) : 1;
    const char *way = argc > 5 ? argv[5] : "";
    int moves = strcmp(way, "move") == 0, reopens = moves || strcmp(way, "reopen") == 0;
    keep_before();
    void *library = open_library(one_of(argv[1], 0));
    for (int i = 0; i < rounds; i++) {
        setenv("PYTHONHOME", one_of(argv[2], i % 2), 1);
        if (strcmp(way, "fresh") == 0 || (strcmp(way, "own") == 0 && i == 0))
            set_own(library, i);
        struct round round = {library, argv[3], i, .ensures = strcmp(way, "ensure") == 0};
        if (reopens && i % 2)
            run_in_thread(&round);
        else
            run(&round);
        if (reopens) {
            close_library(library, moves);
            library = open_library(one_of(argv[1], (i + 1) % 2));
        }
    }
    if (strcmp(way, "close") == 0) {
        dlclose(library);
        tracesnap_take_snapshot(argc > 6 ? argv[6] : "/dev/null");
    }
    keep_after();
    for (int i = 0; i < 1000; i++)
        come_and_go(100 + i);
    abort();
}
