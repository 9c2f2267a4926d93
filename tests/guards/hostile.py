"""Guards against files and directories of others, and against readers and writers that do not keep the rules."""

PLANTED = "tests/faults/hostile/planted_test.py"
USERS = "tests/faults/hostile/users_test.py"
STORM = "tests/faults/hostile/reader_storm"

GUARDS = {
    "reader-length-again": {
        "trap": "a region that is cut between two looks at it",
        "file": "tools/source/cells.c",
        "old": "    if (status.st_size < (off_t)TS_SLABS_OFFSET)\n",
        "new": "    if (false)\n",
        "test": STORM,
    },
    "reader-holes": {
        "trap": "a sparse region that its reading would fill with memory",
        "file": "tools/source/cells.c",
        "old": "    if (!holds_data(reading, (off_t)offset))\n",
        "new": "    if (!holds_data(reading, (off_t)offset) && false)\n",
        "test": STORM,
    },
    "reader-sigbus": {
        "trap": "a mapped region that is truncated while it is read: SIGBUS",
        "file": "tools/source/guard.c",
        "old": "    sigaction(SIGBUS, &action, NULL);\n",
        "new": "    (void)action;\n",
        "test": STORM,
    },
    "predecessor-link": {
        "trap": "a planted symbolic link in place of a region",
        "file": "shim/region_file.c",
        "old": "    int fd = sys_openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);\n",
        "new": "    int fd = sys_openat(directory, name, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);\n",
        "test": PLANTED,
    },
    "predecessor-hole": {
        "trap": "the header of a predecessor that is a hole in a full file system: SIGBUS",
        "file": "shim/region_file.c",
        "old": "    long backed = sys_madvise(header, TS_HEADER_SIZE, MADV_POPULATE_WRITE);\n",
        "new": "    long backed = 0;\n",
        "test": PLANTED,
    },
    "ancestor-fifo": {
        "trap": "a planted FIFO in place of a region",
        "file": "shim/region_file.c",
        "old": " &&\n                S_ISREG(st.st_mode);\n",
        "new": ";\n",
        "test": PLANTED,
    },
    "umask-directory": {
        "trap": "an umask that keeps the owner out of the region directory",
        "file": "shim/region_file.c",
        "old": "    if (made && (st.st_mode & 0700) != 0700)\n",
        "new": "    if (false && made)\n",
        "test": PLANTED,
    },
    "umask-region": {
        "trap": "an umask that keeps the owner out of the region",
        "file": "shim/region_file.c",
        "old": "        if ((st.st_mode & 0600) != 0600)\n",
        "new": "        if (false)\n",
        "test": PLANTED,
    },
    "directory-open": {
        "trap": "a region directory that others can write to",
        "file": "shim/region_file.c",
        "old": "        (st.st_mode & 022) != 0) {\n",
        "new": "        false) {\n",
        "test": PLANTED,
    },
    "directory-link": {
        "trap": "a region directory that is a symbolic link",
        "file": "shim/region_file.c",
        "old": "O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);\n",
        "new": "O_PATH | O_DIRECTORY, 0);\n",
        "test": PLANTED,
    },
    "directory-foreign": {
        "trap": "a region directory that another user made first",
        "file": "shim/region_file.c",
        "old": "st.st_uid != sys_geteuid() ||\n",
        "new": "\n",
        "test": USERS,
    },
    "list-directory": {
        "trap": "regions listed from a directory that another user made first",
        "file": "tools/source/directory.c",
        "old": "    return owner != NULL && status->st_uid != *owner;\n",
        "new": "    return owner != NULL && status->st_uid == 12345678;\n",
        "test": USERS,
    },
    "list-owner": {
        "trap": "a region that another user planted in a user's directory",
        "file": "tools/source/list.c",
        "old": " && file.owner == owner &&\n",
        "new": " && (file.owner == owner || true) &&\n",
        "test": USERS,
    },
    "list-pid": {
        "trap": "a region whose name has another pid than its header",
        "file": "tools/source/list.c",
        "old": " || header.process.pid != name.pid) {\n",
        "new": ") {\n",
        "test": USERS,
    },
    "list-alive": {
        "trap": "a user's region that says it is of another user's process",
        "file": "tools/source/list.c",
        "old": "           (owner == 0 || owner == geteuid() || owner == status.uid);\n",
        "new": "           (owner == 0 || owner == geteuid() || owner == status.uid || true);\n",
        "test": USERS,
    },
    "control-owner": {
        "trap": "regions of other users opened for writing by root",
        "file": "tools/source/control.c",
        "old": "    setfsuid(owner);\n",
        "new": "",
        "test": USERS,
    },
    "output-planted": {
        "trap": "a symbolic link planted under the name of a snapshot",
        "file": "tools/source/file_write.c",
        "old": "           status->st_uid != geteuid() && status->st_uid != 0;\n",
        "new": "           status->st_uid == 12345678;\n",
        "test": USERS,
    },
    "output-planted-inside": {
        "trap": "a FIFO planted under the name of a snapshot from inside",
        "file": "shim/snapshot.c",
        "old": " && st.st_uid != sys_geteuid() && st.st_uid != 0)\n",
        "new": " && st.st_uid == 12345678)\n",
        "test": USERS,
    },
}
