"""Guards of what is read of CPython: each taken away, its test must fail. Read by tests/guards/remove.py."""

GUARDS = {
    "late-interpreter-is-met": {
        "trap": "an interpreter that is opened after the start is not hooked",
        "file": "shim/capture.c",
        "old": "    python_meet_any();\n",
        "new": "",
        "test": "tests/python/embed_test.py",
    },
    "unloaded-interpreter-is-let-go": {
        "trap": "an interpreter that was unloaded is called",
        "file": "shim/hooks.c",
        "old": "    python_closed();\n",
        "new": "",
        "test": "tests/python/embed_test.py",
    },
    "own-allocators-are-part-of-the-call": {
        "trap": "the interpreter's allocator is the program's own, which calls malloc",
        "file": "shim/hooks.c",
        "old": "!python_hooks_call(caller) &&",
        "new": "",
        "test": "tests/python/embed_test.py",
    },
    "births-keep-the-tracer-before": {
        "trap": "PyRefTracer_SetTracer: there is one tracer, and tracemalloc's was first",
        "file": "shim/python_births.c",
        "old": "next_tracer != NULL ? next_tracer(object, event, next_data) : 0",
        "new": "0",
        "test": "tests/python/parity_test.py",
    },
    "births-are-looked-after": {
        "trap": "tracemalloc.start() and stop() put their tracer, or none, in place of any",
        "file": "shim/python_births.c",
        "old": "    if (now == birth)\n",
        "new": "    static bool done;\n    if (done || (done = true, now == birth))\n",
        "test": "tests/python/births_test.py",
    },
    "births-of-the-last-block": {
        "trap": "an object is born from a free list into the block that was allocated last",
        "file": "shim/python_births.c",
        "old": " || thread->born == block)\n",
        "new": ")\n",
        "test": "tests/python/parity_test.py",
    },
    "dead-code-is-retired": {
        "trap": "a code object dies, and another one has its address",
        "file": "shim/python_hooks.c",
        "old": "    codes_freed(block);\n",
        "new": "",
        "test": "tests/python/life_test.py",
    },
    "structures-are-proven": {
        "trap": "a patch release moved what lies in frames",
        "file": "shim/capture_python.c",
        "old": " && !python_prove(state))\n",
        "new": " && python_prove(state) && false)\n",
        "test": "tests/python/odd_test.py",
    },
}
