"""Guards of a process's life: fork, exec, rights."""

FORK = "tests/faults/process/fork_test.py"
STARTS = "tests/faults/process/starts_test.py"
CHILDREN = "tests/faults/process/children_test.py"
RIGHTS = "tests/faults/process/rights_test.py"

GUARDS = {
    "fork-empties-the-page": {
        "trap": "fork: a child takes its parent's state for its own, and counts in its parent's region",
        "file": "shim/process.c",
        "old": "    if (sys_failed(sys_madvise(page, 4096, MADV_WIPEONFORK)) ||\n        !ts_cas",
        "new": "    if (!ts_cas",
        "test": CHILDREN,
    },
    "fork-handler-where-the-page-stays": {
        "trap": "fork: kernels that cannot empty a page in the child",
        "file": "shim/process.c",
        "old": "        first_page = (struct process_page){.mode = PROCESS_NEW};\n",
        "new": "        first_page.early = 0;\n",
        "test": STARTS,
    },
    "fork-while-resolving": {
        "trap": "start-up: dlsym allocates before the next allocator is known; a fork meanwhile keeps it so for ever",
        "file": "shim/next.c",
        "old": "    process_make_page();\n",
        "new": "",
        "test": STARTS,
    },
    "fork-settles-its-thread": {
        "trap": "fork: what a thread holds in the parent, it holds in the child",
        "file": "shim/process.c",
        "old": "    record_settle(thread);\n",
        "new": "",
        "test": STARTS,
    },
    "fork-starter-has-an-end": {
        "trap": "fork: the child's first thread that allocates may end before the others",
        "file": "shim/record.c",
        "old": "    inheritance.shard = threads_begin(thread);\n",
        "new": "    thread->shard = inheritance.shard = shard_take(thread);\n",
        "test": FORK,
    },
    "fork-in-a-handler": {
        "trap": "fork: a signal handler forks in the midst of a record",
        "file": "shim/process.c",
        "old": "    if (thread->busy != THREAD_FREE) {\n",
        "new": "    if (false) {\n",
        "test": STARTS,
    },
    "fork-tells-the-untraced": {
        "trap": "processes: a child that cannot be traced is missing without a word",
        "file": "shim/process.c",
        "old": "    if (options.follow)\n        region_drop(TS_DROP_UNTRACED);\n",
        "new": "",
        "test": CHILDREN,
    },
    "fork-gives-up-for-good": {
        "trap": "processes: children of an untraced child try again and again",
        "file": "shim/process.c",
        "old": "    ts_store_release(&process_page, &first_page);\n",
        "new": "    set_mode(PROCESS_OFF);\n",
        "test": CHILDREN,
    },
    "directory-is-absolute": {
        "trap": "processes: chdir, then fork, with a relative region directory",
        "file": "shim/region_file.c",
        "old": "    if (*path != '/' && !sys_failed(",
        "new": "    if (false && !sys_failed(",
        "test": RIGHTS,
    },
    "pid-of-another-namespace": {
        "trap": "processes: pids collide across containers",
        "file": "shim/region_file.c",
        "old": " &&\n           process->pid_namespace == proc_namespace();",
        "new": ";",
        "test": RIGHTS,
    },
    "exec-unmaps-the-region": {
        "trap": "static and setuid programs cannot be preloaded: the one before seems to run on",
        "file": "tools/source/region.c",
        "old": "(alive && process_runs_another(process, file->owner, pid))",
        "new": "(alive && pid == 0)",
        "test": "tests/faults/process/exec_test.py",
    },
    "start-unknown-without-proc": {
        "trap": "processes: chroot, where no /proc tells the start time",
        "file": "tools/source/process.c",
        "old": "           (process->start_ticks == 0 && !process_runs_another(process, status->uid, pid));",
        "new": "           false;",
        "test": RIGHTS,
    },
    "first-thread-may-end": {
        "trap": "processes: pthread_exit of the first thread, which then maps nothing",
        "file": "tools/source/mapped.c",
        "old": "maps != NULL && size != 0 && ",
        "new": "maps != NULL && ",
        "test": "tests/faults/process/ends_test.py",
    },
    "no-descriptor-is-kept": {
        "trap": "programs that close every descriptor, or dup2 over ours",
        "file": "shim/region.c",
        "old": "    region_header = header;\n    region_file_close(&region.file);\n",
        "new": "    region_header = header;\n",
        "test": "tests/faults/descriptors_test.py",
    },
}
