/*
 * What the files of this directory share: open files, the pieces of a region, and what every reader
 * does with what it read. Nothing here is for other directories: they include source.h.
 */
#ifndef TRACESNAP_TOOLS_SOURCE_READER_H
#define TRACESNAP_TOOLS_SOURCE_READER_H

#include "region/layout.h"
#include "tools/base/capture.h"
#include "tools/base/message.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ------------------------------------------------------------------ file.c */

enum source_kind { SOURCE_REGION, SOURCE_SNAPSHOT };

struct source_file {
    const char *path;
    int fd;
    enum source_kind kind;
    uint64_t size;  /* apparent size when it was opened */
    uint64_t space; /* bytes that it occupied */
    uid_t owner;
};

/* Opens a regular file that begins like a region or a snapshot. `path` must outlive the struct. */
int source_file_open(struct source_file *file, const char *path, bool writable,
                     struct error *error);
void source_file_close(struct source_file *file);

/* Reads exactly `size` bytes: 0, or -1 when the file ends earlier or cannot be read. */
int file_read(int fd, void *to, size_t size, uint64_t offset);

/* ------------------------------------------------------------------ file_write.c */

/*
 * Writes a file whole or not at all, mode 0600; "-" is stdout, and what is no regular file (a pipe,
 * /dev/null) is written to as it is. 0, or -1 and errno; EPERM for what file_is_planted says.
 */
int file_write(const char *path, const void *bytes, size_t size);

/* ------------------------------------------------------------------ guard.c */

/*
 * Runs body(argument); -1 when memory of a mapped file vanished below it (SIGBUS: somebody
 * truncated the file), else 0. The body keeps what it owns where `argument` leads, since it may end
 * anywhere.
 */
int guard_run(void (*body)(void *argument), void *argument);

/* ------------------------------------------------------------------ slabs.c */

/* Where the slabs of one kind are: number[ordinal] is the slab's number + 1, 0 = there is none. */
struct slabs {
    uint32_t *number;
    uint32_t count;
};

int slabs_find(struct slabs *slabs, const struct source_file *file, enum ts_slab_kind kind,
               struct error *error);
void slabs_free(struct slabs *slabs);
uint64_t slab_offset(const struct slabs *slabs, uint32_t ordinal);

/* An array of a region in private memory. What no slab holds, or was never written, is zeros. */
struct records {
    void *at;
    uint32_t count;
};

int records_read(struct records *records, const struct source_file *file, enum ts_slab_kind kind,
                 size_t record_size, uint32_t limit, struct error *error);

/* ------------------------------------------------------------------ cells.c */

/*
 * The counters of all contexts, by context number, summed over the shards by the protocol of
 * region/layout.h. The differences may still be nonsense where a writer was killed or the file is
 * damaged.
 */
struct counters {
    struct capture_values *values;
    uint32_t count;
    uint64_t control; /* the control word they belong to */
    bool consistent;  /* false: the peak kept moving, the peak columns hold the live values */
};

int counters_read(struct counters *counters, const struct source_file *file, struct error *error);

/* ------------------------------------------------------------------ codes.c */

/* The code objects of a region, with their texts and line tables. */
int region_codes_read(struct capture *capture, const struct source_file *file, struct error *error);

/* Those of a snapshot; takes the tables over. */
struct section;
int snapshot_codes_copy(struct capture *capture, const struct section *codes,
                        struct section *tables, const struct section *strings, const char *path,
                        struct error *error);

/* The key itself, or that of the empty code where its code does not exist. */
uint64_t python_key_checked(const struct capture *capture, uint64_t key);

/* ------------------------------------------------------------------ assemble.c */

/*
 * Fills nodes, contexts and totals of `capture` from a region's arrays. Only what has counts is
 * kept. Counts whose context or node cannot be trusted are charged to the catch-all; differences
 * below zero become zero. capture->modules and codes must be there already.
 */
int assemble_contexts(struct capture *capture, const struct counters *counters,
                      const struct records *contexts, const struct records *nodes,
                      struct error *error);

/* Adds to the totals; false when they would not fit 63 bits, which no process reaches. */
bool values_add_checked(struct capture_values *totals, const struct capture_values *values);

/* When more is live now than at the recorded peak, the present is the peak. */
void raise_peak(struct capture *capture);

/* Depth of a stack that readers accept: frames and the mark that says where it was cut. */
#define STACK_DEPTH_MAX (TS_DEPTH_MAX + 8u)

/* ------------------------------------------------------------------ region.c, snapshot_read.c */

/* Checks what a region's header says of itself. */
int region_header_check(const struct ts_header *header, const char *path, struct error *error);

/*
 * Both take a file that source_file_open accepted; `proc_pid` is the process's pid here, 0 = as
 * recorded.
 */
/* A section of a snapshot, in private memory. */
struct section {
    void *at; /* owned */
    uint32_t count;
};

struct capture *region_read(const struct source_file *file, uint32_t proc_pid, struct error *error);
struct capture *snapshot_read(const struct source_file *file, struct error *error);

/* ------------------------------------------------------------------ process.c */

/* A private copy of at most `max` bytes, ended at the first zero, without control characters. */
char *text_copy(const char *bytes, size_t max);

/* What /proc knows of a process. */
struct proc_status {
    uint64_t start_ticks;
    char command[64];
    bool alive; /* false: a zombie */
    uid_t uid, effective_uid;
    uint32_t inner_pid; /* in its own pid namespace */
    uint64_t rss, peak_rss;
};

/* false: there is no such process. */
bool proc_status_read(struct proc_status *status, uint32_t pid);

/* Whether the recorded process lives under `pid` here; *status (may be NULL) is filled if so. */
bool process_is_alive(const struct ts_process *process, uint32_t pid, struct proc_status *status);

/*
 * What is taken from a region's or snapshot's process record to a capture and back: a new field is one line
 * here, one in capture.h and one in the JSON.
 */
#define PROCESS_NUMBERS(X)                                                                         \
    X(pid) X(parent_pid) X(uid) X(sequence) X(start_ticks) X(start_time) X(end_time) X(depth)      \
    X(forked) X(sample)
#define PROCESS_TEXTS(X) X(exe) X(cmdline) X(host) X(options) X(session) X(version) X(boot_id)

/* Copies the strings and numbers that regions and snapshots both record; -1 = out of memory. */
int process_fill(struct capture_process *to, const struct ts_process *from);

/* Of them what is said of a Python interpreter: that becomes known while the process runs. */
void process_fill_python(struct capture_process *to, const struct ts_process *from);

/* Bytes of a whole small file of /proc, terminated; NULL with errno set. */
char *proc_read(uint32_t pid, const char *name, size_t *size);

/* ------------------------------------------------------------------ memory_parts.c */

/* Whether the parts add up to what they are parts of. */
bool memory_is_sound(const uint64_t memory[TS_MEMORY_COUNT]);

/* ------------------------------------------------------------------ name.c */

struct region_name {
    uint32_t pid, sequence;
    uint64_t start_ticks;
};

/* Reads a file name as region/name.h describes it. */
bool region_name_parse(const char *file_name, struct region_name *name);

/* The three places of region/name.h for a user: number `which` (0, 1, 2); false = not set. */
#define REGION_PLACES 3
bool region_place(int which, uid_t uid, const char *dir_variable, const char *tmp_variable,
                  char path[PATH_MAX]);

/*
 * In another pid namespace another process may have the same pid and the same start: false where
 * the region says that it is of another than this one.
 */
bool region_is_of_namespace(const char *directory, const char *file_name, uint32_t namespace);

/* Whether the file's directory has a region of the same process with a higher sequence. */
bool region_has_successor(const char *path, const struct ts_process *process);

/* ------------------------------------------------------------------ directory.c */

/*
 * Directories where regions of this user may lie (for root with all_users: of all users), each
 * once.
 */
struct directories {
    char **paths;
    size_t count;
};

int directories_list(struct directories *directories, bool all_users, struct error *error);
void directories_free(struct directories *directories);

/* ------------------------------------------------------------------ mapped.c */

/*
 * Whether the live process `pid` runs another program by now than the one whose region this is:
 * it does not map the region. owner: the region's. False where that cannot be told, and of a
 * region that was not locked through its mapping (region/keep.h).
 */
bool process_runs_another(const struct ts_process *process, uid_t owner, uint32_t pid);

/* The pid of the recorded process as seen from here; 0 = its namespace is another, and it is not
 * there. */
uint32_t process_pid_here(const struct ts_process *process);

/* The inode of a process's pid namespace, of our own for pid 0; 0 = not told. */
uint32_t process_namespace(uint32_t pid);

/* ------------------------------------------------------------------ find.c */

/* The region of a process, by its pid as seen from here. */
int region_find(uint32_t pid, char path[PATH_MAX], struct error *error);

/* The pid that a source's name is; 0 = it is a path. */
uint32_t source_name_pid(const char *name);

#endif
