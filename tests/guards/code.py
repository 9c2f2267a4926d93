"""What in the shim keeps odd code, odd stacks and code that comes and goes from doing harm."""

GUARDS = {
    "stack-ends-where-pthread-says": {
        "trap": "A freed coroutine stack, mapped again, must not be read through stale addresses: below a thread's own",
        "file": "shim/stack.c",
        "old": "        return sp >= thread->stack_end && sp < thread->stack_low &&\n",
        "new": "        return sp < thread->stack_low &&\n",
        "test": "tests/faults/code/stacks_test.py",
    },
    "control-block-is-no-stack": {
        "trap": "A freed coroutine stack, mapped again: below the control block of the first thread",
        "file": "shim/stack.c",
        "old": "    if (lowest != 0)\n        end = block;\n",
        "new": "    if (sp < block)\n        end = block;\n",
        "test": "tests/faults/code/stacks_test.py",
    },
    "other-stacks-without-holes": {
        "trap": "Corrupted frame pointers: a page that another thread unmaps at that very time",
        "file": "shim/stack.c",
        "old": "    if (stack_is_own(view->thread, view->low) || address < end ||\n"
        "        (address - end) / PAGE > PAGES_MAX)\n"
        "        return false;\n",
        "new": "    view->low = end = address & ~(PAGE - 1);\n    view->size = 0;\n",
        "test": "tests/faults/code/stacks_test.py",
    },
    "no-far-guess-on-other-stacks": {
        "trap": "Corrupted frame pointers: what adjoins a coroutine's stack is unmapped at that very time",
        "file": "shim/walk.c",
        "old": "state->bp - state->sp > GUESSED_FRAME_MAX",
        "new": "state->bp < state->sp",
        "test": "tests/faults/code/stacks_test.py",
    },
    "rules-forgotten-before-generations-come-round": {
        "trap": "dlclose, then another library at the same address: stale rules, wrong names, after 32768 of them",
        "file": "shim/modules.c",
        "old": "    if (ts_add_acq_rel(&module_generation, 1) % RULES_FORGET_EVERY == 0)\n        rules_forget();\n",
        "new": "    ts_add_acq_rel(&module_generation, 1);\n    (void)RULES_FORGET_EVERY;\n",
        "test": "tests/faults/code/libraries_test.py",
    },
    "dlclose-steps-the-generation": {
        "trap": "dlclose, then another library at the same address: stale rules, wrong names",
        "file": "shim/modules.c",
        "old": "    if (ts_add_acq_rel(&module_generation, 1) % RULES_FORGET_EVERY == 0)\n        rules_forget();\n",
        "new": "    (void)RULES_FORGET_EVERY;\n",
        "test": "tests/faults/code/libraries_test.py",
    },
    "only-whole-words-are-read": {
        "trap": "Corrupted frame pointers: into the last bytes of a mapping",
        "file": "shim/stack.h",
        "old": "    if (address & 7)\n        return false;\n    return __builtin_expect(",
        "new": "    return __builtin_expect(",
        "test": "tests/faults/code/frames_test.py",
    },
    "frames-within-the-stack": {
        "trap": "Corrupted frame pointers: unmapped memory, kernel addresses, not canonical",
        "file": "shim/walk.c",
        "old": "in_view(cfa - 8, low, size) && packed_is_plain(entry.rule)",
        "new": "packed_is_plain(entry.rule)",
        "test": "tests/faults/code/frames_test.py",
    },
    "page-tried-before-it-is-read": {
        "trap": "Corrupted frame pointers: memory that cannot be read",
        "file": "shim/stack.c",
        "old": "        if (!sys_readable(end))\n            return false;\n        view->size += PAGE;\n",
        "new": "        view->size += PAGE;\n",
        "test": "tests/faults/code/frames_test.py",
    },
    "libunwind-is-local": {
        "trap": "libunwind.so.8 exports every _Unwind_* symbol: it can capture the program's exceptions (memray#863)",
        "file": "shim/libunwind.c",
        "old": "dlopen(\"libunwind-x86_64.so.8\", RTLD_NOW | RTLD_LOCAL)",
        "new": "dlopen(\"libunwind-x86_64.so.8\", RTLD_NOW | RTLD_GLOBAL)",
        "test": "tests/faults/code/exceptions_test.py",
    },
    "libunwind-says-when-it-is-lost": {
        "trap": "Code without unwind tables, or with what is none: a stack that ends there must not pass for whole",
        "file": "shim/walk.c",
        "old": "    if (lost && kind != RULE_END)\n        return STEP_LOST;\n",
        "new": "    (void)kind;\n",
        "test": "tests/faults/code/shapes_test.py",
    },
    "wide-frames-are-not-packed": {
        "trap": "Very large frames: one of more than 64 MiB does not fit a rule",
        "file": "shim/cfi.c",
        "old": "!fits(row->cfa_offset, 1 << 26)",
        "new": "row->cfa_offset % 8 != 0",
        "test": "tests/faults/code/shapes_test.py",
    },
}
