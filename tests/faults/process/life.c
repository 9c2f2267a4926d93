/*
 * A process that does what it is told, in order: each operation of its command line, until one
 * starts another program. What is promised it checks itself.
 *
 *     alloc N     N blocks of 100 bytes that stay; must be traced
 *     free N      frees the N oldest of them
 *     untraced    allocates, and must not be traced
 *     live N      N of its blocks live, by the shim's total since the first `alloc`
 *     fork, clone the rest is a child's, by fork or by the system call; the parent waits for it, and
 *                 demands status 0
 *     newpid N    the same, by N children at once, each the first of a pid namespace
 *     again       the same, and the parent goes on, too
 *     vfork N     a vfork child makes N blocks and ends; also `share`: clone(CLONE_VM)
 *     chdir DIR, chroot DIR, setuid UID, umask OCTAL, closefds
 *     nospace, space          no file may grow, or may again
 *     rest        for some ticks of a file system's clock
 *     daemon      detaches as daemons do: twice forked, descriptors closed, in /
 *     kill        SIGKILL for itself
 *     pid         writes its pid
 *     wait        writes its pid, and waits for the end of its input
 *     touch FILE  makes a file
 *     exec COMMAND...   also vexec, spawn, texec: after vfork, by posix_spawn, from a thread
 */
#include "tests/faults/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define BLOCKS_MAX 10000

extern char **environ;

static char **next; /* the rest of the command line */
static void *blocks[BLOCKS_MAX];
static int made, freed;
static size_t before; /* live bytes before the first of them */
static bool once;

static char *word(void)
{
    FAULT_TRUE(*next != NULL);
    return *next++;
}

static int number(void)
{
    return atoi(word());
}

static __attribute__((noipa)) void allocate(int count)
{
    for (int i = 0; i < count; i++) {
        FAULT_TRUE(made < BLOCKS_MAX);
        blocks[made++] = FAULT_MALLOC(100);
    }
}

static void alloc(void)
{
    if (!once) {
        free(FAULT_MALLOC(1));
        before = fault_live();
        once = true;
    }
    allocate(number());
    FAULT_TRUE(tracesnap_is_tracing());
}

static void release(void)
{
    for (int count = number(); count > 0; count--)
        free(blocks[freed++]);
}

static void untraced(void)
{
    free(FAULT_MALLOC(100));
    FAULT_TRUE(!tracesnap_is_tracing());
}

static void live(void)
{
    int count = number();
    free(FAULT_MALLOC(1)); /* a child is traced from its first allocation on */
    FAULT_EQUAL(fault_live() - before, count * 100);
}

static void await(pid_t pid)
{
    int status;
    FAULT_TRUE(pid > 0);
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
}

static void as_child(pid_t pid)
{
    FAULT_TRUE(pid >= 0);
    if (pid == 0)
        return;
    await(pid);
    _exit(0);
}

static void clone_into_namespaces(void)
{
    int count = number();
    pid_t pids[100];
    for (int i = 0; i < count; i++) {
        pids[i] = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWPID, 0, 0, 0, 0);
        if (pids[i] == 0)
            return;
    }
    for (int i = 0; i < count; i++)
        await(pids[i]);
    _exit(0);
}

static void again(void)
{
    pid_t pid = fork();
    if (pid != 0)
        await(pid);
}

static void do_vfork(void)
{
    int count = number();
    pid_t pid = vfork();
    if (pid == 0) {
        allocate(count);
        _exit(0);
    }
    await(pid);
}

static int sharing(void *count)
{
    allocate((int)(intptr_t)count);
    return 0;
}

static void share(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    intptr_t count = number();
    await(clone(sharing, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)count));
}

static void change_root(void)
{
    FAULT_EQUAL(chroot(word()), 0);
    FAULT_EQUAL(chdir("/"), 0);
}

static void change_user(void)
{
    int user = number();
    FAULT_EQUAL(setgroups(0, NULL), 0);
    FAULT_EQUAL(setgid((gid_t)user), 0);
    FAULT_EQUAL(setuid((uid_t)user), 0);
}

static void limit_files(rlim_t most)
{
    struct rlimit limit = {most, RLIM_INFINITY};
    FAULT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void close_all(void)
{
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
}

static void detach(void)
{
    pid_t pid = fork();
    FAULT_TRUE(pid >= 0);
    if (pid > 0)
        _exit(0);
    FAULT_TRUE(setsid() > 0);
    pid = fork();
    FAULT_TRUE(pid >= 0);
    if (pid > 0)
        _exit(0);
    FAULT_EQUAL(chdir("/"), 0);
    umask(0);
    close_all();
}

static void say_pid(void)
{
    dprintf(1, "%d\n", getpid());
}

static void wait_for_end(void)
{
    char byte;
    say_pid();
    while (read(0, &byte, 1) > 0)
        continue;
}

static void touch(void)
{
    int fd = open(word(), O_RDWR | O_CREAT, 0666);
    FAULT_TRUE(fd >= 0);
    close(fd);
}

static void *execute(void *unused)
{
    (void)unused;
    execvp(next[0], next);
    _exit(126);
}

static void execute_in_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0)
        execute(NULL);
    await(pid);
    _exit(0);
}

static void spawn(void)
{
    pid_t pid;
    FAULT_EQUAL(posix_spawnp(&pid, next[0], NULL, NULL, next, environ), 0);
    await(pid);
    _exit(0);
}

static void execute_in_thread(void)
{
    pthread_t thread;
    FAULT_EQUAL(pthread_create(&thread, NULL, execute, NULL), 0);
    pthread_join(thread, NULL);
}

static void operate(const char *name)
{
#define IS(text) (strcmp(name, (text)) == 0)
    if (IS("alloc"))
        alloc();
    else if (IS("free"))
        release();
    else if (IS("untraced"))
        untraced();
    else if (IS("live"))
        live();
    else if (IS("fork"))
        as_child(fork());
    else if (IS("clone"))
        as_child((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    else if (IS("newpid"))
        clone_into_namespaces();
    else if (IS("again"))
        again();
    else if (IS("vfork"))
        do_vfork();
    else if (IS("share"))
        share();
    else if (IS("chdir"))
        FAULT_EQUAL(chdir(word()), 0);
    else if (IS("chroot"))
        change_root();
    else if (IS("setuid"))
        change_user();
    else if (IS("umask"))
        umask((mode_t)strtoul(word(), NULL, 8));
    else if (IS("closefds"))
        close_all();
    else if (IS("nospace"))
        limit_files(0);
    else if (IS("space"))
        limit_files(RLIM_INFINITY);
    else if (IS("rest"))
        usleep(50000);
    else if (IS("daemon"))
        detach();
    else if (IS("kill"))
        kill(getpid(), SIGKILL);
    else if (IS("pid"))
        say_pid();
    else if (IS("wait"))
        wait_for_end();
    else if (IS("touch"))
        touch();
    else if (IS("exec"))
        execute(NULL);
    else if (IS("vexec"))
        execute_in_vfork();
    else if (IS("spawn"))
        spawn();
    else if (IS("texec"))
        execute_in_thread();
    else
        FAULT_TRUE(!"an operation");
}

int main(int argc, char **argv)
{
    (void)argc;
    for (next = argv + 1; *next != NULL;)
        operate(*next++);
    _exit(0);
}
