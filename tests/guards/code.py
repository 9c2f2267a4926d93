"""What in the shim keeps odd code, odd stacks and code that comes and goes from doing harm."""

GUARDS = {
    "stack-ends-where-pthread-says": {
        "trap": "A freed coroutine stack, mapped again, must not be read through stale addresses: one below a thread's own",
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
        "old": "    if (stack_is_own(view->thread, view->low) || address < end ||\n        (address - end) / PAGE > PAGES_MAX)\n"
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
}
