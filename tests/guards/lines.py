"""Guards against code objects of Python that are not what they say, and line tables that no compiler made."""

CODES = "tests/unit/reader_code_test"
FUZZ = "tests/fuzz/fuzz_test.py"

GUARDS = {
    "code-that-is-none": {
        "trap": "a frame of a code object that does not exist",
        "file": "tools/source/codes.c",
        "old": "    return exists ? key : ts_key_python(0, 0);\n",
        "new": "    (void)exists;\n    return key;\n",
        "test": CODES,
    },
    "texts-apart": {
        "trap": "a small file whose code objects share all its bytes, and take up a large memory",
        "file": "tools/source/codes.c",
        "old": "    if (text != NULL || size > texts->left)\n",
        "new": "    if (text != NULL)\n",
        "test": CODES,
    },
    "tables-apart": {
        "trap": "line tables that share bytes: each is read, and written to a snapshot, again",
        "file": "tools/source/codes.c",
        "old": "    if (number == 0 || from->table_size > TS_TABLE_MAX || from->table_size > *tables_left ||\n",
        "new": "    if (number == 0 || from->table_size > TS_TABLE_MAX ||\n",
        "test": CODES,
    },
    "table-bounded": {
        "trap": "a line table that ends behind all of them",
        "file": "tools/source/codes.c",
        "old": "        from->table_at > capture->tables_size ||\n"
        "        from->table_size > capture->tables_size - from->table_at)\n        return;\n",
        "new": "        false)\n        return;\n",
        "test": CODES,
    },
    "number-bounded": {
        "trap": "a line table that ends in the midst of a number",
        "file": "tools/symbol/python_lines.c",
        "old": "from == end || (byte",
        "new": "(byte",
        "test": FUZZ,
    },
    "number-too-long": {
        "trap": "a line table with a number that never ends",
        "file": "tools/symbol/python_lines.c",
        "old": " || shift > 30)",
        "new": ")",
        "test": FUZZ,
    },
}
