"""Guards of the protocols without locks, and the tests that fail without them."""

GUARDS = {
    "table-second-look-of-insert": {
        "trap": "a table grows behind a thread that inserts: its path gets the number of another path",
        "file": "shim/table.c",
        "old": " || !table_is_present(table, word))",
        "new": ")",
        "test": "tests/proof/steps_test.py",
    },
    "table-publishes-by-compare-and-swap": {
        "trap": "two threads meet a new stack at once: counts are divided among two numbers, or lost",
        "file": "shim/table.c",
        "old": "            if (ts_cas_acq_rel(&slot->value, &other, value) || !table_is_present(table, word))\n",
        "new": "            slot->value = value;\n            if (other == 0 || !table_is_present(table, word))\n",
        "test": "tests/proof/steps_test.py",
    },
    "table-claims-by-compare-and-swap": {
        "trap": "two threads claim one slot for two paths: one path gets the other's number",
        "file": "shim/table.c",
        "old": "        if (ts_cas_acq_rel(&slot->hash, found, hash)) {\n",
        "new": "        ts_store_release(&slot->hash, hash);\n        {\n",
        "test": "tests/proof/steps_test.py",
    },
    "table-copies-published-slots-only": {
        "trap": "a thread that was killed or waits left a slot claimed: it must cost that slot and nothing more",
        "file": "shim/table.c",
        "old": "        while (slots[at].hash != 0)\n            at = (at + 1) & table_mask(to);\n",
        "new": "        at = at;\n",
        "test": "tests/proof/steps_test.py",
    },
    "table-grows-also-when-its-grower-stands-still": {
        "trap": "the thread that grows a table gets no processor, or is killed in a fork: the table fills up",
        "file": "shim/table.c",
        "old": "    if (__builtin_expect(used > (enough + mask) / 2, 0)) {\n        grow(table, word);\n    } else if",
        "new": "    if",
        "test": "tests/proof/steps_test.py",
    },
    "counter-freed-read-before-allocated": {
        "trap": "a reader sees a free but not its allocation: negative totals",
        "file": "tools/source/cells.c",
        "old": "            read_freed(&chunks[j].cells[cell], control, sum);\n        for (size_t j = 0; j < count; j++)\n"
        "            read_rest(&chunks[j].cells[cell], control, sum);\n",
        "new": "            read_rest(&chunks[j].cells[cell], control, sum);\n        for (size_t j = 0; j < count; j++)\n"
        "            read_freed(&chunks[j].cells[cell], control, sum);\n",
        "test": "tests/proof/steps_test.py",
    },
    "counter-stamp-read-again": {
        "trap": "a clear comes between two looks at one cell: half of it is of another generation",
        "file": "tools/source/cells.c",
        "old": "        temporary = ts_load_acquire(&cell->temporary);\n        if (ts_load_acquire(&cell->stamp) == stamp)\n",
        "new": "        temporary = ts_load_acquire(&cell->temporary);\n        if (stamp == stamp)\n",
        "test": "tests/proof/steps_test.py",
    },
    "cell-stamp-stored-last": {
        "trap": "a writer is killed while it makes a cell ready for a new generation: old counts seem new",
        "file": "shim/counters.c",
        "old": "    if (TS_CONTROL_GENERATION(ts_load_relaxed(&cell->stamp)) != TS_CONTROL_GENERATION(control)) {\n",
        "new": "    uint64_t was = cell->stamp;\n    ts_store_release(&cell->stamp, control);\n"
        "    if (TS_CONTROL_GENERATION(was) != TS_CONTROL_GENERATION(control)) {\n",
        "test": "tests/proof/steps_test.py",
    },
    "cell-peak-put-aside": {
        "trap": "a new peak: what changes after it must not count as being of it",
        "file": "shim/counters.c",
        "old": "    ts_pair_store(&cell->peak, peak);\n",
        "new": "",
        "test": "tests/proof/steps_test.py",
    },
    "node-filed-after-its-key": {
        "trap": "a thread stands still between two stores: a number that is known before its record is nobody's",
        "file": "shim/nodes.c",
        "old": "    node->parent = parent;\n    ts_store_release(&node->key, key);\n    return file(number, parent, key);\n",
        "new": "    number = file(number, parent, key);\n    if (node->key == 0) {\n"
        "        node->parent = parent;\n        ts_store_release(&node->key, key);\n    }\n    return number;\n",
        "test": "tests/proof/steps_test.py",
    },
    "node-filed-by-compare-and-swap": {
        "trap": "two threads make nodes at once: one takes the other's slot",
        "file": "shim/nodes.c",
        "old": "        uint32_t found = 0;\n        if (ts_cas_acq_rel(&slots_of(word)[i], &found, number))\n            return number;\n",
        "new": "        uint32_t found = ts_load_acquire(&slots_of(word)[i]);\n        if (found == 0) {\n"
        "            ts_store_release(&slots_of(word)[i], number);\n            return number;\n        }\n",
        "test": "tests/proof/steps_test.py",
    },
    "nodes-leave-a-slot-empty": {
        "trap": "memory is refused, and threads that saw room together fill the table: a search never ends",
        "file": "shim/nodes.c",
        "old": "ts_add_relaxed(&used, 1) >= mask)",
        "new": "ts_add_relaxed(&used, 1) >= 2 * mask)",
        "test": "tests/proof/steps_test.py",
    },
    "nodes-copied-beside-each-other": {
        "trap": "a table of nodes grows: what collides must not be lost",
        "file": "shim/nodes.c",
        "old": "        while (slots_of(to)[at] != 0)\n            at = (at + 1) & table_mask(to);\n",
        "new": "",
        "test": "tests/proof/steps_test.py",
    },
    "nodes-grow-also-when-their-grower-stands-still": {
        "trap": "the thread that grows a table gets no processor, or is killed in a fork: the table fills up",
        "file": "shim/nodes.c",
        "old": "    if (__builtin_expect(now > (enough + mask) / 2, 0)) {\n        grow(word);\n    } else if",
        "new": "    if",
        "test": "tests/proof/steps_test.py",
    },
    "context-filed-after-its-record": {
        "trap": "a writer is killed between two stores: counts of a context that no reader finds",
        "file": "shim/contexts.c",
        "old": "    ts_store_release(&context->node, node);\n    return table_insert(&leaves, hash, number);\n",
        "new": "    number = table_insert(&leaves, hash, number);\n    if (region_context(number)->node == 0)\n"
        "        ts_store_release(&context->node, node);\n    return number;\n",
        "test": "tests/proof/steps_test.py",
    },
    "slab-published-by-its-user": {
        "trap": "a slab's maker stands still before it is in the region's table: what others put in is lost",
        "file": "shim/region.c",
        "old": "return ((uintptr_t)slab & CLAIMED) == 0 ? slab : publish_slab(kind, ordinal, slab);",
        "new": "return unclaimed(slab);",
        "test": "tests/proof/steps_test.py",
    },
    "index-sweeper-asks-for-insertions": {
        "trap": "pages of the index are given back while a thread files a block there: the block is lost",
        "file": "shim/index.c",
        "old": "    if (!shards_any_inserting())\n        each_leaf(sweep_leaf, NULL);\n",
        "new": "    each_leaf(sweep_leaf, NULL);\n",
        "test": "tests/proof/litmus_test.py",
    },
    "index-insertion-asks-for-a-sweeper": {
        "trap": "pages of the index are given back while a thread files a block there: the block is lost",
        "file": "shim/index.h",
        "old": "    return !ts_load_acquire(&shadow.sweeping);\n",
        "new": "    return true;\n",
        "test": "tests/proof/litmus_test.py",
    },
    "index-class-read-by-acquire": {
        "trap": "a thread looks at another's block: its class must be there before its number",
        "file": "shim/index.c",
        "old": "        uint32_t word = ts_load_acquire(&leaf[i]);\n        if ((word & SHADOW_START) &&",
        "new": "        uint32_t word = ts_load_relaxed(&leaf[i]);\n        if ((word & SHADOW_START) &&",
        "test": "tests/proof/race_test.py",
    },
    "peak-never-lowered-by-a-late-thread": {
        "trap": "a thread stands still between a new peak and its threshold: a lower peak replaces a higher one",
        "file": "shim/live.c",
        "old": "            (old >> VALUE_BITS == command && (old & VALUE_MASK) >= bytes))\n",
        "new": "            old == UINT64_MAX)\n",
        "test": "tests/proof/steps_test.py",
    },
    "peak-of-before-a-command": {
        "trap": "a thread stands still in a new peak until a clear came: the old peak is shown as one of after it",
        "file": "shim/live.c",
        "old": "LIVE_RESET_PART(ts_load_acquire(&known_reset)) != LIVE_RESET_PART(control) ||",
        "new": "",
        "test": "tests/proof/steps_test.py",
    },
}
