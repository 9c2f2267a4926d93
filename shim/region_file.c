/*
 * The region's file: which directory, which name, and what is written in it about the process.
 * Trusts no directory that is not the user's own and closed to others: a planted one is refused.
 * Files are opened below the very directory that was checked, so that nobody puts another in its
 * place; what is opened may be anything, and must neither block nor raise SIGBUS.
 */
#include "shim/region_file.h"
#include "region/name.h"
#include "shim/options.h"
#include "shim/proc.h"
#include "shim/process.h"
#include "shim/prune.h"
#include "shim/system.h"
#include "shim/text.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#define PRUNE_EVERY 16 /* a look costs a microsecond for each region in the directory */
#define SIZE_SMALL (UINT64_C(64) << 20) /* where address space is limited */

static bool refuse(const char *cause, const char *subject, const char *fix)
{
    if (options.verbose)
        options_say(cause, subject, fix);
    return false;
}

/* The program's umask took away what its owner needs: by the open descriptor, whatever its kind. */
static void set_mode(int fd, int mode)
{
    char path[40];
    struct text text = text_in(path, sizeof path);
    text_add(&text, "/proc/self/fd/");
    text_number(&text, (uint64_t)fd);
    sys_chmod(path, mode);
}

/*
 * Makes the directory where it is missing, and opens it (O_PATH) when it is the user's own and
 * nobody else can write to it; else -1.
 */
static int open_directory(const char *path, bool say)
{
    bool made = !sys_failed(sys_mkdir(path, 0700));
    int fd = sys_open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    struct stat st;
    if (fd < 0) {
        if (say)
            refuse("cannot open region directory", path, "create it with mode 0700");
        return -1;
    }
    if (sys_failed(sys_fstat(fd, &st)) || st.st_uid != sys_geteuid() ||
        (st.st_mode & 022) != 0) {
        sys_close(fd);
        if (say)
            refuse("region directory belongs to or is open to others", path,
                   "set TRACESNAP_DIR to a directory of yours with mode 0700");
        return -1;
    }
    if (made && (st.st_mode & 0700) != 0700)
        set_mode(fd, 0700);
    return fd;
}

/* The program may change its directory before it forks: what is relative begins at the present one.
 */
static void add_absolute(struct text *text, const char *path)
{
    if (*path != '/' && !sys_failed(sys_getcwd(text->buffer, text->size - 2))) {
        text->length = text_length(text->buffer);
        text_add(text, "/");
    }
    text_add(text, path);
}

static int choose_directory(char *path, size_t size)
{
    struct text text = text_in(path, size);
    const char *set = process_variable(TS_DIR_VARIABLE);
    if (set != NULL && *set != '\0') {
        add_absolute(&text, set);
        return open_directory(path, true);
    }
    text_add(&text, TS_DIR_SHM);
    text_number(&text, sys_geteuid());
    int fd = open_directory(path, false);
    if (fd >= 0)
        return fd;
    const char *tmp = process_variable("TMPDIR");
    text = text_in(path, size);
    add_absolute(&text, tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
    text_add(&text, TS_DIR_TMP_NAME);
    text_number(&text, sys_geteuid());
    return open_directory(path, true);
}

static void name_in(struct region_file *file, size_t directory_length, uint64_t pid)
{
    struct text text = {file->path, sizeof file->path, directory_length};
    text_add(&text, "/");
    text_number(&text, pid);
    text_add(&text, "-");
    text_number(&text, file->start_ticks);
    if (file->sequence > 0) {
        text_add(&text, "-");
        text_number(&text, file->sequence);
    }
}

/*
 * Whether a region is of this very process. In another pid namespace a process may have the same
 * pid and the same start; where no /proc tells the start, a former process may have had the pid.
 */
static bool is_of_this_process(const struct ts_process *process)
{
    return process->pid == sys_getpid() && process->start_ticks != 0 &&
           process->pid_namespace == proc_namespace();
}

/*
 * The program that ran in this process before exec left a region under `name`: marks it as
 * replaced, through a mapping, since a write raises SIGXFSZ where file sizes are limited. One that
 * fork made is removed. The header of one that died at its first step may be a hole: it is filled
 * before it is touched, or left alone (a full file system; a file that was cut).
 */
static bool end_predecessor(int directory, const char *name)
{
    struct stat st;
    bool removed = false;
    int fd = sys_openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return false;
    struct ts_header *header = NULL;
    if (!sys_failed(sys_fstat(fd, &st)) && S_ISREG(st.st_mode) &&
        st.st_size >= TS_HEADER_SIZE)
        header = sys_mmap(NULL, TS_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sys_close(fd);
    if (header == NULL)
        return false;
    long backed = sys_madvise(header, TS_HEADER_SIZE, MADV_POPULATE_WRITE);
    if ((backed == 0 || backed == -22 /* EINVAL: the kernel does not know it */) &&
        header->version == TS_REGION_VERSION && is_of_this_process(&header->process)) {
        if (header->process.forked)
            removed = !sys_failed(sys_unlink_at(directory, name));
        ts_store_relaxed(&header->process.end_time, region_file_now());
        ts_store_release(&header->process.state, (uint32_t)TS_STATE_REPLACED);
    }
    sys_munmap(header, TS_HEADER_SIZE);
    return removed;
}

/* How much may be mapped: all of it, unless limits on address space or file size stand against it.
 */
static uint64_t allowed_size(void)
{
    uint64_t size = TS_REGION_SIZE_MAX;
    struct rlimit limit;
    if (!sys_failed(sys_getrlimit(RLIMIT_AS, &limit)) &&
        limit.rlim_cur != RLIM_INFINITY)
        size = limit.rlim_cur / 16 < SIZE_SMALL ? limit.rlim_cur / 16 : SIZE_SMALL;
    if (!sys_failed(sys_getrlimit(RLIMIT_FSIZE, &limit)) && limit.rlim_cur < size)
        size = limit.rlim_cur; /* to pass it raises SIGXFSZ in the program */
    return size & ~(uint64_t)(TS_SLAB_SIZE - 1);
}

/* The next name that is free; the file's descriptor, or what is wrong. */
static int create_in(struct region_file *file, int directory)
{
    const char *name = file->path + file->directory + 1;
    int fd = -17;
    for (file->sequence = 0; file->sequence <= TS_SEQUENCE_MAX;) {
        name_in(file, file->directory, sys_getpid());
        fd = sys_openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd != -17 /* EEXIST */)
            break;
        /* A number that becomes free is taken at once: the last one is the present program's. */
        file->sequence += !end_predecessor(directory, name);
    }
    struct stat st;
    if (fd >= 0 && !sys_failed(sys_fstat(fd, &st))) {
        file->device = st.st_dev;
        file->inode = st.st_ino;
        if ((st.st_mode & 0600) != 0600)
            sys_fchmod(fd, 0600);
    }
    return fd;
}

bool region_file_create(struct region_file *file, bool forked)
{
    file->path[file->directory] = '\0';
    int directory = forked ? open_directory(file->path, false) : -1;
    if (directory < 0)
        directory = choose_directory(file->path, sizeof file->path - 64);
    if (directory < 0)
        return false;
    file->directory = (uint32_t)text_length(file->path);
    file->forked = forked;
    file->start_ticks = proc_stat(0).start_ticks;
    if ((sys_getpid() + file->start_ticks) % PRUNE_EVERY == 0)
        prune_directory(file->path, false);
    file->size = allowed_size();
    if (file->size < TS_SLABS_OFFSET + 16 * TS_SLAB_SIZE) {
        sys_close(directory);
        return refuse("file size or address space limit too small for region in", file->path,
                      "raise 'ulimit -f' and 'ulimit -v'");
    }
    file->fd = create_in(file, directory);
    sys_close(directory);
    if (file->fd < 0)
        return refuse("cannot create region", file->path, "check the directory's rights and space");
    struct statfs fs;
    /* What overlayfs maps is another open file: the lock would go with the descriptor. */
    file->locked = !sys_failed(sys_fstatfs(file->fd, &fs)) && fs.f_type != OVERLAYFS_SUPER_MAGIC &&
                   !sys_failed(sys_flock(file->fd, LOCK_SH | LOCK_NB));
    if (sys_failed(sys_ftruncate(file->fd, (long)file->size))) {
        region_file_abandon(file, "cannot size region",
                            "check the file size limit and the space in");
        return false;
    }
    return true;
}

bool region_file_make_space(struct region_file *file)
{
    file->path[file->directory] = '\0';
    bool made = prune_directory(file->path, true);
    file->path[file->directory] = '/';
    return made;
}

bool region_file_ancestor_is_traced(void)
{
    static struct region_file ancestor; /* start-up is one thread's; too large for a small stack */
    int directory = choose_directory(ancestor.path, sizeof ancestor.path - 64);
    bool found = false;
    if (directory < 0)
        return false;
    size_t length = text_length(ancestor.path);
    uint64_t pid = proc_stat(0).parent;
    for (int generations = 0; pid > 1 && generations < 100 && !found; generations++) {
        struct stat st;
        struct proc_stat stat = proc_stat(pid);
        ancestor.start_ticks = stat.start_ticks;
        name_in(&ancestor, length, pid);
        found = !sys_failed(sys_stat_at(directory, ancestor.path + length + 1, &st)) &&
                S_ISREG(st.st_mode);
        pid = stat.parent;
    }
    sys_close(directory);
    return found;
}

bool region_file_allocate(const struct region_file *file, uint64_t from, uint64_t to)
{
    int fd = sys_open(file->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return false;
    struct stat st;
    long result = sys_fstat(fd, &st);
    if (!sys_failed(result) && (st.st_dev != file->device || st.st_ino != file->inode))
        result = -1; /* another file: memory of that one would not back what is mapped */
    if (!sys_failed(result))
        result = sys_fallocate(fd, from, to - from);
    sys_close(fd);
    return !sys_failed(result);
}

void region_file_close(struct region_file *file)
{
    if (file->fd >= 0)
        sys_close(file->fd);
    file->fd = -1;
}

void region_file_abandon(struct region_file *file, const char *cause, const char *fix)
{
    region_file_close(file);
    sys_unlink(file->path);
    refuse(cause, file->path, fix);
}

uint64_t region_file_now(void)
{
    return sys_clock(CLOCK_REALTIME, CLOCK_REALTIME_COARSE);
}

static void read_line(const char *path, char *buffer, size_t size)
{
    proc_read(path, buffer, size);
    for (size_t i = 0; buffer[i] != '\0'; i++)
        if (buffer[i] == '\n')
            buffer[i] = '\0';
}

static void copy_text(char *to, size_t size, const char *from)
{
    struct text text = text_in(to, size);
    text_add(&text, from);
}

void region_file_describe(const struct region_file *file, struct ts_process *process)
{
    process->pid = sys_getpid();
    process->parent_pid = sys_getppid();
    process->uid = sys_geteuid();
    process->sequence = file->sequence;
    process->start_ticks = file->start_ticks;
    process->pid_namespace = proc_namespace();
    process->start_time = region_file_now();
    process->started_monotonic = sys_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE);
    process->page_size = 4096;
    process->depth = options.depth;
    process->sample = options.sample;
    process->follow = options.follow;
    process->locked = file->locked;
    read_line("/proc/sys/kernel/random/boot_id", process->boot_id, sizeof process->boot_id);
    read_line("/proc/sys/kernel/hostname", process->host, sizeof process->host);
    copy_text(process->session, sizeof process->session, options.session);
    copy_text(process->options, sizeof process->options, options.text);
    copy_text(process->version, sizeof process->version, PACKAGE_VERSION);
    long length = sys_readlink("/proc/self/exe", process->exe, sizeof process->exe - 1);
    process->exe[length > 0 ? length : 0] = '\0';
    size_t size = proc_read("/proc/self/cmdline", process->cmdline, sizeof process->cmdline);
    for (size_t i = 0; i + 1 < size; i++)
        if (process->cmdline[i] == '\0')
            process->cmdline[i] = ' ';
}
