/*
 * A program that forbids itself system calls, on pain of death. Arguments: who does it, which list,
 * by which way.
 *
 *   self        the process, after some allocations
 *   child       a forked child before its first allocation
 *   limited     the same, which first takes all files from itself, as sshd does
 *   grandchild  a forked child, which then forks a child of its own that allocates
 *   vfork       a vfork child; its parent is under no filter
 *   thread      one of two threads; the other goes on, and so do threads that are made later
 */
#include "tests/faults/limits/filter.h"
#include "tests/faults/limits/work.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BITS 11

static const char *list;
static enum filter_way way;

/* What malloc and the program itself need, and how a process under privilege separation is bound. */
static const int usual[] = {SYS_brk,           SYS_mmap,          SYS_munmap,        SYS_mprotect,
                            SYS_mremap,        SYS_read,          SYS_write,         SYS_close,
                            SYS_exit_group,    SYS_exit,          SYS_clock_gettime, SYS_futex,
                            SYS_rt_sigprocmask, SYS_rt_sigreturn};
/* For those that fork or make threads. */
static const int forking[] = {SYS_clone, SYS_clone3, SYS_wait4, SYS_set_robust_list, SYS_rseq, SYS_madvise};

static void allow(struct filter *filter, const int *calls, size_t count, int except)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i] != except)
            filter_end(filter, calls[i], SECCOMP_RET_ALLOW);
}

static void put_on(void)
{
    static struct filter filter;
    if (strcmp(list, "strict") == 0) {
        FAULT_EQUAL(way == FILTER_PRCTL ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)
                                        : syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL),
                    0);
        return;
    }
    filter_begin(&filter);
    if (strcmp(list, "arguments") == 0) { /* as some lists look at what is mapped and advised */
        filter_allow_with(&filter, SYS_madvise, 2, MADV_DONTNEED);
        filter_allow_with(&filter, SYS_mmap, 3, MAP_PRIVATE | MAP_ANONYMOUS);
        allow(&filter, usual, sizeof usual / sizeof *usual, SYS_mmap);
    } else {
        if (strcmp(list, "forking") == 0)
            allow(&filter, forking, sizeof forking / sizeof *forking, -1);
        else
            filter_end(&filter, SYS_madvise, SECCOMP_RET_ALLOW);
        allow(&filter, usual, sizeof usual / sizeof *usual,
              strcmp(list, "no-trial") == 0 ? SYS_rt_sigprocmask : -1);
    }
    filter_end(&filter, SYS_openat, SECCOMP_RET_ERRNO | EACCES);
    filter_put_on(&filter, SECCOMP_RET_KILL_PROCESS, way);
}

static void end(const char *name)
{
    work_print(name);
    if (strcmp(list, "strict") == 0)
        filter_instruction(SYS_exit, 0, 0, 0); /* exit_group is not among the four */
    _exit(0);
}

/* Memory that malloc has and need not ask for. */
static void stock_up(void)
{
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    free(fault_opaque(malloc(100000))); /* below the threshold of mmap */
    void *blocks[64];
    for (int i = 0; i < 64; i++)
        blocks[i] = work_take(60000);
    for (int i = 0; i < 64; i++)
        work_give(blocks[i], 60000);
    work_own.allocated_count++;
    work_own.allocated_size += 100000;
}

static void wait_for(pid_t pid)
{
    int status;
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
}

/* On pages of the stack that nobody has been on before. */
static __attribute__((noipa)) void work_deep(void)
{
    volatile char room[64 << 10];
    room[0] = 1;
    work_stacks(BITS);
    room[1] = 1;
}

static void self(void)
{
    stock_up();
    work_stacks(4);
    put_on();
    work_deep();
    end("self");
}

static void *exercise(void *unused)
{
    work_stacks(BITS);
    return unused;
}

static void *exercise_bound(void *unused)
{
    put_on();
    return exercise(unused);
}

static void in_thread(void *(*start)(void *))
{
    pthread_t thread;
    FAULT_EQUAL(pthread_create(&thread, NULL, start, NULL), 0);
    FAULT_EQUAL(pthread_join(thread, NULL), 0);
}

static void *nothing(void *unused)
{
    return unused;
}

/* What libc allocates for the first thread, and keeps for others. */
static void count_thread(void)
{
    size_t before = tracesnap_is_tracing() ? fault_live() : 0;
    in_thread(nothing);
    size_t size = tracesnap_is_tracing() ? fault_live() - before : 0;
    work_own.allocated_size += size;
    work_own.size += size;
    work_own.allocated_count += size != 0;
    work_own.count += size != 0;
}

static void child(bool limited)
{
    work_stacks(4);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        FAULT_EQUAL(limited ? setrlimit(RLIMIT_FSIZE, &none) : 0, 0);
        FAULT_EQUAL(limited ? setrlimit(RLIMIT_NOFILE, &none) : 0, 0);
        work_inherit();
        put_on();
        work_stacks(BITS);
        end("child");
    }
    wait_for(pid);
    work_stacks(5);
    end("parent");
}

static void grandchild(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        put_on();
        work_stacks(BITS);
        pid = fork();
        if (pid == 0) {
            work_stacks(BITS);
            end("untraced");
        }
        wait_for(pid);
        work_stacks(5);
        end("child");
    }
    wait_for(pid);
    end("parent");
}

static void vforked(void)
{
    work_stacks(4);
    pid_t pid = vfork();
    if (pid == 0) {
        put_on();
        _exit(0);
    }
    wait_for(pid);
    work_stacks(BITS);
    end("parent");
}

static void threads(void)
{
    work_stacks(4);
    count_thread();
    in_thread(exercise_bound);
    work_stacks(BITS);
    in_thread(exercise);
    end("self");
}

int main(int argc, char **argv)
{
    list = argv[2];
    way = argv[3][0] == 'p' ? FILTER_PRCTL : argv[3][0] == 's' ? FILTER_SYSCALL : FILTER_UNSEEN;
    if (strcmp(argv[1], "self") == 0)
        self();
    else if (strcmp(argv[1], "child") == 0)
        child(false);
    else if (strcmp(argv[1], "limited") == 0)
        child(true);
    else if (strcmp(argv[1], "grandchild") == 0)
        grandchild();
    else if (strcmp(argv[1], "vfork") == 0)
        vforked();
    else
        threads();
    return 1;
}
