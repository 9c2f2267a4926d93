/*
 * A second opinion: counts the calls of the malloc family and the bytes they ask for, and knows
 * nothing else. Preloaded before the shim it sees what the program asks for; preloaded alone it
 * says what the program does without the shim. The numbers of each program stand in a file
 * ($COUNT_DIR/PID-N: struct counters), which outlives it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct counters {
    uint64_t allocated_count, allocated_size, freed_count;
    struct {
        uint64_t allocated_count, allocated_size, freed_count;
    } at_start; /* when this library's constructor ran: the last one before main */
    char exe[4000];
};

static struct counters before_main;
static struct counters *counters = &before_main;
/* Above 0 where the allocator calls itself. */
static __thread int depth __attribute__((tls_model("initial-exec")));

static struct {
    void *(*malloc)(size_t);
    void (*free)(void *);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*reallocarray)(void *, size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
} next;

static void add(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* Called with depth at 1: what dlsym might allocate is not the program's. */
static void resolve(void)
{
    *(void **)&next.malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&next.free = dlsym(RTLD_NEXT, "free");
    *(void **)&next.calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&next.realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&next.reallocarray = dlsym(RTLD_NEXT, "reallocarray");
    *(void **)&next.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    *(void **)&next.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    *(void **)&next.memalign = dlsym(RTLD_NEXT, "memalign");
    *(void **)&next.valloc = dlsym(RTLD_NEXT, "valloc");
    *(void **)&next.pvalloc = dlsym(RTLD_NEXT, "pvalloc");
}

static void enter(void)
{
    if (depth++ == 0 && next.pvalloc == NULL)
        resolve();
}

static void *leave(void *block, size_t size)
{
    if (--depth == 0 && block != NULL) {
        add(&counters->allocated_count, 1);
        add(&counters->allocated_size, size);
    }
    return block;
}

void *malloc(size_t size)
{
    enter();
    return leave(next.malloc(size), size);
}

void *calloc(size_t n, size_t size)
{
    enter();
    return leave(next.calloc(n, size), n * size);
}

void free(void *block)
{
    enter();
    if (depth == 1 && block != NULL)
        add(&counters->freed_count, 1);
    next.free(block);
    depth--;
}

/* A moved block is one freed and one allocated; one of size 0 that came back as NULL was freed. */
static void *moved(void *old, void *block, size_t size)
{
    if (depth == 1 && old != NULL && (block != NULL || size == 0))
        add(&counters->freed_count, 1);
    return leave(block, size);
}

void *realloc(void *old, size_t size)
{
    enter();
    return moved(old, next.realloc(old, size), size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
    enter();
    return moved(old, next.reallocarray(old, n, size), n * size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    enter();
    int result = next.posix_memalign(block, alignment, size);
    leave(result == 0 ? *block : NULL, size);
    return result;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    enter();
    return leave(next.aligned_alloc(alignment, size), size);
}

void *memalign(size_t alignment, size_t size)
{
    enter();
    return leave(next.memalign(alignment, size), size);
}

void *valloc(size_t size)
{
    enter();
    return leave(next.valloc(size), size);
}

void *pvalloc(size_t size)
{
    enter();
    return leave(next.pvalloc(size), size);
}

static struct counters *open_file(void)
{
    char path[4096];
    const char *directory = getenv("COUNT_DIR");
    int fd = -1;
    for (int n = 0; directory != NULL && fd < 0 && n < 100; n++) {
        snprintf(path, sizeof path, "%s/%ld-%d", directory, (long)getpid(), n);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (fd < 0 || ftruncate(fd, sizeof(struct counters)) != 0)
        return NULL;
    void *page = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return page == MAP_FAILED ? NULL : page;
}

static void begin_file(void)
{
    struct counters *mine = open_file();
    if (mine == NULL)
        return;
    *mine = *counters;
    mine->at_start.allocated_count = counters->allocated_count;
    mine->at_start.allocated_size = counters->allocated_size;
    mine->at_start.freed_count = counters->freed_count;
    ssize_t length = readlink("/proc/self/exe", mine->exe, sizeof mine->exe - 1);
    mine->exe[length > 0 ? length : 0] = '\0';
    counters = mine;
}

/* A forked child counts for itself, from the parent's numbers on. */
static void in_child(void)
{
    int kept = errno;
    begin_file();
    errno = kept;
}

static __attribute__((constructor)) void start(void)
{
    begin_file();
    pthread_atfork(NULL, NULL, in_child);
}
