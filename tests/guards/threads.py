"""What in the shim lets threads come and go in any number and any way, and counts to their last free."""

GUARDS = {
    "end-gives-the-shard-back": {
        "trap": "TLS destructors and pthread key destructors allocate and free after your thread state is gone",
        "file": "shim/threads.c",
        "old": "        shard_give(shard);\n    }\n    record_deferred(thread);\n",
        "new": "    }\n    record_deferred(thread);\n",
        "test": "tests/faults/threads/ends_test.py",
    },
    "last-round-leaves-no-shard": {
        "trap": "Threads whose first operation is in the last round of destructors: memory grows with their number",
        "file": "shim/counters.c",
        "old": "    return ts_load_relaxed(&shard->holder) == thread && !thread->ended;\n",
        "new": "    return shard == NULL && thread == NULL;\n",
        "test": "tests/faults/threads/ends_test.py",
    },
}
