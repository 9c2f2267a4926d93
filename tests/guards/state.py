"""Guards of what is said of memory and of the interpreter's state: each taken away, its test must fail. Read by
tests/guards/remove.py."""

GUARDS = {
    "collector-of-known-size": {
        "trap": "a release of CPython moved what is read",
        "file": "shim/python_gc.c",
        "old": "           word(runtime, layout->offsets_gc) == layout->size &&\n",
        "new": "",
        "test": "tests/python/gc_test.py",
    },
    "collector-inside-the-interpreter": {
        "trap": "a release of CPython moved what is read",
        "file": "shim/python_gc.c",
        "old": "           word(runtime, layout->offsets_at) <=\n"
        "               word(runtime, OFFSETS_INTERPRETER_SIZE) - layout->size;\n",
        "new": "           true;\n",
        "test": "tests/python/gc_test.py",
    },
    "collector-points-to-its-youngest": {
        "trap": "a release of CPython moved what is read",
        "file": "shim/python_gc.c",
        "old": "            word(state, layout->youngest) == (uintptr_t)(state + GENERATIONS)) &&\n",
        "new": "            true) &&\n",
        "test": "tests/python/gc_test.py",
    },
    "memory-adds-up": {
        "trap": "any bytes in a region or snapshot",
        "file": "tools/source/snapshot_read.c",
        "old": "    if (!memory_is_sound(capture->memory)) {\n",
        "new": "    if (!memory_is_sound(capture->memory) && capture == NULL) {\n",
        "test": "tests/cli/memory_test.py",
    },
    "memory-of-the-program-itself": {
        "trap": "a process went on to another program",
        "file": "tools/source/region.c",
        "old": "    process->pid_here = strcmp(process->state, \"running\") == 0 ? pid : 0;\n",
        "new": "    process->pid_here = process->alive ? pid : 0;\n",
        "test": "tests/cli/memory_test.py",
    },
    "tables-as-large-as-mapped": {
        "trap": "a program maps memory as the shim does",
        "file": "tools/source/memory_parts.c",
        "old": "    if (memory[TS_MEMORY_TRACER_TABLES] > shim) {\n",
        "new": "    if (memory[TS_MEMORY_TRACER_TABLES] > shim && shim == 1) {\n",
        "test": "tests/cli/memory_test.py",
    },
}
