/*
 * Preloaded beside the tracer into an interpreter with -X tracemalloc: makes getppid() the points of a
 * program at which both books are cleared and compared, since os.getppid() allocates nothing that
 * lives on. Of three calls the first prepares, the second comes after the program has cleared
 * tracemalloc's books, and clears the tracer's, the third saves the tracer's to POINTS_TO.N before the
 * program asks for tracemalloc's.
 *
 * POINTS_BIRTHS=0: from the second call to the third tracemalloc does not notice that an object is
 * born from a free list; of blocks, it then sees what the allocators see.
 */
#include "include/tracesnap.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
};

typedef int (*tracer)(void *object, int event, void *data);

static void *function(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

/* tracemalloc's switch: up to 3.11 in a variable; 3.12 has it in _PyRuntime: {1, 1, frames}. */
static int *find_tracing(void)
{
    int *config = function("_Py_tracemalloc_config"), *words = function("_PyRuntime"), *found = NULL;
    int frames = atoi(getenv("POINTS_FRAMES"));
    Dl_info info;
    const ElfW(Sym) * symbol;
    if (config != NULL)
        return config + 1;
    if (words == NULL || dladdr1(words, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0)
        abort();
    for (size_t i = 0; i + 2 < symbol->st_size / sizeof *words; i++) {
        if (words[i] != 1 || words[i + 1] != 1 || words[i + 2] != frames)
            continue;
        if (found != NULL)
            abort(); /* which is it? */
        found = &words[i + 1];
    }
    return found != NULL ? found : (abort(), NULL);
}

static void switch_births(int on)
{
    static tracer before;
    static void *data;
    static int *tracing;
    tracer (*get)(void **) = (tracer (*)(void **))function("PyRefTracer_GetTracer");
    int (*set)(tracer, void *) = (int (*)(tracer, void *))function("PyRefTracer_SetTracer");
    if (set == NULL) {
        if (tracing == NULL)
            tracing = find_tracing(); /* while it is on */
        *tracing = on;
        return;
    }
    if (!on)
        before = get(&data);
    set(on ? before : NULL, on ? data : NULL);
}

/* Jumped to, so that malloc's caller is the interpreter. */
static void *own_malloc(void *ctx, size_t size)
{
    return malloc(size);
}

static void *own_calloc(void *ctx, size_t count, size_t size)
{
    return calloc(count, size);
}

static void *own_realloc(void *ctx, void *block, size_t size)
{
    return realloc(block, size);
}

static void own_free(void *ctx, void *block)
{
    free(block);
}

static int is_tracer(void *code)
{
    Dl_info info;
    return dladdr(code, &info) != 0 && strstr(info.dli_fname, "libtracesnap") != NULL;
}

/*
 * tracemalloc keeps its tracebacks in memory of the raw domain, by the allocator that it found there:
 * gives it malloc itself for them, so that they are not among the blocks of that domain. What its
 * hooks call stays as it was. Hooks of the tracer may lie above; each ctx begins with what lies
 * beneath, as tracemalloc's does.
 */
static void set_own_memory_apart(void)
{
    static struct allocator next;
    void (*get)(int, struct allocator *) = (void (*)(int, struct allocator *))function("PyMem_GetAllocator");
    void (*set)(int, struct allocator *) = (void (*)(int, struct allocator *))function("PyMem_SetAllocator");
    struct allocator top, *hooks = &top;
    if (next.malloc != NULL)
        return;
    get(0, &top);
    while (is_tracer((void *)hooks->malloc))
        hooks = hooks->ctx;
    struct allocator *own = hooks->ctx;
    next = *own;
    hooks->ctx = &next;
    *own = (struct allocator){NULL, own_malloc, own_calloc, own_realloc, own_free};
    set(0, &top);
}

/*
 * _get_traces() begins with a list for its answer, which may be born from a free list and then counts
 * as its. So that it is none of the blocks that are compared, a list made before both books were
 * cleared is put on top of the free list, in place of the one that is there.
 */
static void prepare_list(int at_end)
{
    static long *spare;
    long *(*list)(long) = (long *(*)(long))function("PyList_New");
    void (*drop)(void *) = (void (*)(void *))function("Py_DecRef");
    if (at_end) {
        list(0);
        drop(spare);
    }
    spare = at_end ? NULL : list(0);
}

static void save(int number)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%d", getenv("POINTS_TO"), number);
    if (tracesnap_take_snapshot(path) != 0)
        abort();
}

pid_t getppid(void)
{
    static int calls;
    int births = atoi(getenv("POINTS_BIRTHS"));
    switch (calls++ % 3) {
    case 0: prepare_list(0); break;
    case 1:
        set_own_memory_apart();
        tracesnap_clear_traces();
        if (!births)
            switch_births(0);
        break;
    default:
        prepare_list(1);
        save(calls / 3);
        if (!births)
            switch_births(1);
    }
    return 1;
}
