/*
 * How a forked child begins to be traced.
 *
 *     starts thread     another thread allocates before the one that forked
 *     starts together   three threads allocate first at once
 *     starts handler    a signal handler forks in the midst of allocations; both go on
 *     starts unwiped    the kernel knows no MADV_WIPEONFORK
 *     starts chain N    N generations, each of which ends when it has forked
 */
#include "tests/faults/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static int go;
static void *kept[64];

static __attribute__((noipa)) void *allocate(void)
{
    return FAULT_MALLOC(100);
}

static void *when_told(void *place)
{
    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
        continue;
    for (int i = 0; i < 8; i++)
        ((void **)place)[i] = allocate();
    return NULL;
}

static void *rest(void *unused)
{
    pause();
    return unused;
}

/* Stacks that the child finds in libc's cache: its own threads need no allocation. */
static void have_threads(int count)
{
    pthread_t thread;
    for (int i = 0; i < count; i++)
        FAULT_EQUAL(pthread_create(&thread, NULL, rest, NULL), 0);
}

static void in_child(bool together)
{
    pthread_t threads[3];
    int count = together ? 3 : 1;
    for (int i = 0; i < count; i++)
        FAULT_EQUAL(pthread_create(&threads[i], NULL, when_told, &kept[i * 8]), 0);
    __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < count; i++)
        FAULT_EQUAL(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 8; i++)
        kept[56 + i] = allocate();
    FAULT_TRUE(tracesnap_is_tracing());
    _exit(0);
}

static void await(pid_t pid)
{
    int status;
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
}

static void *fork_often(void *together)
{
    allocate();
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();
        FAULT_TRUE(pid >= 0);
        if (pid == 0)
            in_child(together != NULL);
        await(pid);
    }
    return NULL;
}

/* Not by the first thread: its counters are not those that a child's first thread gets. */
static void start_in_threads(bool together)
{
    pthread_t thread;
    have_threads(3);
    FAULT_EQUAL(pthread_create(&thread, NULL, fork_often, together ? &thread : NULL), 0);
    FAULT_EQUAL(pthread_join(thread, NULL), 0);
}

#define HANDLER_FORKS 400

static int forks, children;
static bool is_child;

static void fork_in_handler(int unused)
{
    (void)unused;
    int kept_errno = errno;
    if (is_child || forks == HANDLER_FORKS)
        return;
    pid_t pid = fork();
    if (pid == 0)
        is_child = true;
    else if (pid > 0)
        forks++;
    while (pid > 0 && waitpid(-1, NULL, WNOHANG) > 0)
        children++;
    errno = kept_errno;
}

/* Where a child stands in the midst of a record it stays until its parent has gone on. */
static void start_in_handler(void)
{
    struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    unsigned long made = 0;
    FAULT_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
    FAULT_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
    while (forks < HANDLER_FORKS && !is_child) {
        free(allocate());
        made++;
    }
    if (is_child)
        _exit(0);
    FAULT_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    dprintf(1, "%lu\n", made);
}

static void refuse_wiping(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 18 /* MADV_WIPEONFORK */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    FAULT_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    FAULT_EQUAL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void start_unwiped(void)
{
    for (int generation = 0; generation < 3; generation++) {
        kept[generation] = allocate();
        FAULT_TRUE(tracesnap_is_tracing());
        pid_t pid = fork();
        FAULT_TRUE(pid >= 0);
        if (pid > 0) {
            await(pid);
            _exit(0);
        }
    }
    kept[3] = allocate();
}

static size_t mapped_pages(void)
{
    size_t pages = 0;
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    FAULT_TRUE(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    FAULT_EQUAL(sscanf(text, "%zu", &pages), 1);
    return pages;
}

/* Many contexts, so that a shard has parts of its own. Memory must not grow with the generations. */
static __attribute__((noipa)) void *by_path(unsigned path, int depth)
{
    void *block = depth == 0 ? FAULT_MALLOC(50)
                  : path & 1 ? by_path(path >> 1, depth - 1)
                             : fault_opaque(by_path(path >> 1, depth - 1));
    return fault_opaque(block);
}

static void pass_on(int generations)
{
    size_t pages = 0;
    for (int i = 0; i < generations; i++) {
        for (unsigned path = 0; path < 256; path++)
            free(by_path(path, 8));
        if (i == generations / 2)
            pages = mapped_pages();
        pid_t pid = fork();
        FAULT_TRUE(pid >= 0);
        if (pid > 0)
            _exit(0);
    }
    free(by_path(1, 8));
    FAULT_TRUE(tracesnap_is_tracing());
    dprintf(1, "%zu %zu\n", pages, mapped_pages());
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    if (strcmp(how, "thread") == 0 || strcmp(how, "together") == 0)
        start_in_threads(strcmp(how, "together") == 0);
    else if (strcmp(how, "handler") == 0)
        start_in_handler();
    else if (strcmp(how, "chain") == 0)
        pass_on(atoi(argv[2]));
    else if (strcmp(how, "unwiped") == 0 && argc == 2) {
        refuse_wiping();
        execl(argv[0], argv[0], how, "again", NULL);
        return 1;
    } else if (strcmp(how, "unwiped") == 0)
        start_unwiped();
    else
        return 2;
    _exit(0);
}
