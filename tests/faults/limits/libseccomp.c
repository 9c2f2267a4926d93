/*
 * A forked child puts a filter on itself by libseccomp, which allocates while it does; then the
 * child allocates for itself.
 */
#include "tests/faults/limits/work.h"

#include <seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const int allowed[] = {SYS_brk,        SYS_mmap,  SYS_munmap,         SYS_mprotect, SYS_mremap,
                              SYS_write,      SYS_futex, SYS_rt_sigprocmask, SYS_madvise,
                              SYS_exit_group, SYS_clock_gettime};

static void put_on(void)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
    FAULT_TRUE(context != NULL);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        FAULT_EQUAL(seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0), 0);
    FAULT_EQUAL(seccomp_load(context), 0);
    seccomp_release(context);
}

int main(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        put_on();
        work_stacks(11);
        work_print("child");
        _exit(0);
    }
    FAULT_EQUAL(waitpid(pid, &status, 0), pid);
    FAULT_EQUAL(status, 0);
    work_stacks(4);
    work_print("parent");
    return 0;
}
