"""Guards against bytes that nobody expects, and the tests that fail without them."""

HAND_MADE = "tests/fuzz/hand_made_test.py"

GUARDS = {
    "headers-where-loaded": {
        "trap": "unwind tables and headers: a packed or hand-made library, linked elsewhere than at 0",
        "file": "shim/modules.c",
        "old": "const ElfW(Ehdr) *elf = (const void *)image->start;",
        "new": "const ElfW(Ehdr) *elf = (const void *)image->bias;",
        "test": HAND_MADE,
    },
    "headers-tried": {
        "trap": "program headers of which a part cannot be read",
        "file": "shim/modules.c",
        "old": "return *count <= HEADERS_MAX && readable((uintptr_t)headers, *count * sizeof *headers) ? headers\n"
        "                                                                                           : NULL;",
        "new": "return headers;",
        "test": HAND_MADE,
    },
    "header-tried": {
        "trap": "an ELF header that the program has taken away",
        "file": "shim/modules.c",
        "old": "((uintptr_t)elf & 7) || !readable((uintptr_t)elf, sizeof *elf) ||",
        "new": "((uintptr_t)elf & 7) ||",
        "test": HAND_MADE,
    },
    "notes-tried": {
        "trap": "notes behind the file's end, or that cannot be read any more",
        "file": "shim/modules.c",
        "old": "        !readable((uintptr_t)note, (size_t)(end - note)))",
        "new": "        false)",
        "test": HAND_MADE,
    },
    "notes-bounded": {
        "trap": "a note that says to be longer than its segment",
        "file": "shim/modules.c",
        "old": "        if (name_size + desc_size > (uint64_t)(end - note))\n            return;\n",
        "new": "",
        "test": "tests/fuzz/fuzz_test.py",
    },
    "notes-own": {
        "trap": "headers that lead into somebody else's memory",
        "file": "shim/modules.c",
        "old": "if (!in_module(image, (uintptr_t)note, size) ||",
        "new": "if (false ||",
        "test": "tests/fuzz/fuzz_test.py",
    },
    "tables-tried": {
        "trap": "unwind tables behind the file's end",
        "file": "shim/modules.c",
        "old": "!readable((uintptr_t)image->tables.header, 4) || !readable(high - 1, 1))",
        "new": "!readable((uintptr_t)image->tables.header, 4))",
        "test": HAND_MADE,
    },
    "tables-alone": {
        "trap": "a segment that lies upon the unwind tables",
        "file": "shim/modules.c",
        "old": "if (i != which && overlap(segment, &headers[i]))",
        "new": "if (i != which && count == 0)",
        "test": HAND_MADE,
    },
    "records-bounded": {
        "trap": "records of unwind tables that lead outside of them",
        "file": "shim/cfi.c",
        "old": "struct cursor c = {at, tables->high, at < tables->low || at >= tables->high};",
        "new": "struct cursor c = {at, tables->high, false};",
        "test": "tests/fuzz/fuzz_test.py",
    },
    "rows-bounded": {
        "trap": "a table of functions with more rows than there are bytes",
        "file": "shim/cfi.c",
        "old": "if (c.broken || count > (uint64_t)(c.end - c.at) / sizeof entry)",
        "new": "if (c.broken)",
        "test": HAND_MADE,
    },
    "factors-wrap": {
        "trap": "unwind tables whose numbers overflow",
        "file": "shim/cfi.c",
        "old": "return (int64_t)(number * (uint64_t)align);",
        "new": "return (int64_t)number * align;",
        "test": "tests/fuzz/fuzz_test.py",
    },
}
