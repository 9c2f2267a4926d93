"""Guards against limits and filters: each taken away, its test must fail. Read by tests/guards/remove.py."""

GUARDS = {
    "prctl-asks-the-filter": {
        "trap": "seccomp: an unexpected system call is SIGSYS",
        "file": "shim/sandbox.c",
        "old": "        added = prepare(forbidden_by((const struct sock_fprog *)a[1]));\n",
        "new": "        added = 0;\n",
        "test": "tests/faults/limits/sandbox_test.py",
    },
    "syscall-asks-the-filter": {
        "trap": "seccomp: an unexpected system call is SIGSYS",
        "file": "shim/sandbox.c",
        "old": "    uint64_t added = number == SYS_seccomp ? prepare_for_seccomp(a, (const void *)c) : 0;\n",
        "new": "    uint64_t added = 0;\n    (void)prepare_for_seccomp;\n",
        "test": "tests/faults/limits/sandbox_test.py",
    },
    "strict-mode-stops-growth": {
        "trap": "seccomp: an unexpected system call is SIGSYS",
        "file": "shim/sandbox.c",
        "old": "        added = prepare(EVERYTHING);\n",
        "new": "        added = 0;\n",
        "test": "tests/faults/limits/sandbox_test.py",
    },
    "child-gets-its-region-before": {
        "trap": "seccomp: a forked child's region is made at its first allocation, behind the filter",
        "file": "shim/sandbox.c",
        "old": "        process_begin();\n",
        "new": "        thread->closing += 0;\n",
        "test": "tests/faults/limits/sandbox_test.py",
    },
    "vfork-child-binds-nobody": {
        "trap": "vfork/CLONE_VM: the parent's memory is written to",
        "file": "shim/sandbox.c",
        "old": "(forbidden & ~before) == 0 || !process_owns_memory()",
        "new": "(forbidden & ~before) == 0",
        "test": "tests/faults/limits/sandbox_test.py",
    },
    "stack-looked-at-before": {
        "trap": "seccomp: pages of the stack cannot be tried any more",
        "file": "shim/sandbox.c",
        "old": "        stack_look_ahead(thread, (uintptr_t)__builtin_frame_address(0), LOOK_AHEAD);\n",
        "new": "        thread->closing += 0;\n",
        "test": "tests/faults/limits/sandbox_test.py",
    },
}
