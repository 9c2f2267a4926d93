"""Guards of what is removed, and what never."""

TEST = "tests/faults/prune/prune_test.py"

GUARDS = {
    "region-is-locked-by-its-mapping": {
        "trap": "a region of a running process is removed: a pid namespace hides its process",
        "file": "shim/region_file.c",
        "old": "!sys_failed(sys_flock(file->fd, LOCK_SH | LOCK_NB));",
        "new": "true;",
        "test": TEST,
    },
    "prune-asks-for-the-lock": {
        "trap": "a region that is in use is removed",
        "file": "tools/source/prune.c",
        "old": "if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat",
        "new": "if (fstat",
        "test": TEST,
    },
    "prune-in-passing-asks-for-the-lock": {
        "trap": "a region that is in use is removed by another traced process",
        "file": "shim/prune.c",
        "old": "    if (!sys_failed(sys_flock(fd, LOCK_EX | LOCK_NB)) &&\n        !sys_failed",
        "new": "    if (!sys_failed",
        "test": TEST,
    },
    "prune-keeps-what-run-wants": {
        "trap": "a region that run -o will save is removed",
        "file": "tools/source/prune.c",
        "old": "        is_wanted(fd, expired)) {",
        "new": "        false) {",
        "test": TEST,
    },
    "run-saves-what-ended": {
        "trap": "a storm of processes under run -o fills the directory",
        "file": "tools/cmd/run.c",
        "old": "values->output ? collect : NULL",
        "new": "NULL",
        "test": TEST,
    },
    "prune-keeps-the-unborn": {
        "trap": "a region that is just being made is removed",
        "file": "tools/source/prune.c",
        "old": "return now - status->st_ctime >= TS_KEEP_UNBORN;",
        "new": "return true;",
        "test": TEST,
    },
    "prune-removes-in-passing": {
        "trap": "regions of ended processes fill the directory",
        "file": "shim/prune.c",
        "old": "        pass(&pruning, listing, true);\n",
        "new": "",
        "test": TEST,
    },
    "full-directory-makes-room": {
        "trap": "regions of ended processes fill the file system, and nothing is traced any more",
        "file": "shim/region.c",
        "old": "if (region.base == NULL && region_file_make_space(&region.file))",
        "new": "if (false)",
        "test": TEST,
    },
}
