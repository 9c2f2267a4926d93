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
    "no-more-shards-than-there-may-be": {
        "trap": "A wrong table size gives silently wrong results: more threads at once than shards",
        "file": "shim/counters.c",
        "old": "        if (number >= TS_SHARDS_LIMIT)\n            return NULL;\n",
        "new": "",
        "test": "tests/faults/threads/many_test.py",
    },
    "left-hook-is-noticed": {
        "trap": "longjmp out of frames: a handler that leaves malloc, and everything after it",
        "file": "shim/hooks.c",
        "old": "    if (!process_is_tracing() || !is_left_behind(thread, frame))\n",
        "new": "    if (is_left_behind(thread, frame) || true)\n",
        "test": "tests/faults/longjmp_test.py",
    },
    "ended-thread-counts-at-once": {
        "trap": "TLS destructors and pthread key destructors allocate and free after your thread state is gone",
        "file": "shim/threads.c",
        "old": "    if (shard == NULL || thread->ended)\n        return shard;\n",
        "new": "    if (shard == NULL)\n        return shard;\n",
        "test": "tests/faults/threads/ends_test.py",
    },
}
