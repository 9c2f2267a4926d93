/*
 * Works until it is killed, and keeps books in a page that outlives it.
 *
 *     victim PAGE          four threads allocate, free and resize
 *     victim PAGE forked   a child does, whose parent waits for it
 */
#include "tests/faults/process/victim.h"
#include "tests/faults/process/worker.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct victim_page *page;
static struct worker workers[BOOKS_OWNERS];
static void *exchange[WORKER_SLOTS];
static int state = WORKER_WORKS;

#define BOUNDS(n)                                                                                  \
    extern const char __start_owner_text##n[], __stop_owner_text##n[];                             \
    page->from[n] = (uint64_t)(__start_owner_text##n - base);                                      \
    page->to[n] = (uint64_t)(__stop_owner_text##n - base);

static void tell_bounds(void)
{
    Dl_info info;
    FAULT_TRUE(dladdr((const void *)worker_left0, &info) != 0);
    const char *base = info.dli_fbase;
    BOUNDS(0)
    BOUNDS(1)
    BOUNDS(2)
    BOUNDS(3)
}

static void work(void)
{
    pthread_t thread;
    free(FAULT_MALLOC(1)); /* by one thread: a child is traced from here on */
    for (unsigned i = 0; i < BOOKS_OWNERS; i++) {
        workers[i] = (struct worker){.book = &page->books[i],
                                     .owner = i,
                                     .random = (uint64_t)getpid() << 8 | (2 * i + 1),
                                     .exchange = exchange,
                                     .state = &state};
        FAULT_EQUAL(pthread_create(&thread, NULL, worker_run, &workers[i]), 0);
    }
    __atomic_store_n(&page->working, (uint32_t)getpid(), __ATOMIC_RELEASE);
    pause();
}

int main(int argc, char **argv)
{
    int fd = open(argv[1], O_RDWR);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FAULT_TRUE(page != MAP_FAILED);
    close(fd);
    tell_bounds();
    if (argc == 2)
        work();
    pid_t pid = fork();
    FAULT_TRUE(pid >= 0);
    if (pid == 0) {
        __atomic_store_n(&page->child, (uint32_t)getpid(), __ATOMIC_RELEASE);
        work();
    }
    FAULT_EQUAL(waitpid(pid, NULL, 0), pid);
    return 0;
}
