/*
 * Opening a file that may be anybody's: only regular files, told apart by their first bytes.
 */
#include "tools/source/reader.h"

#include "region/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(int fd, void *to, size_t size, uint64_t offset)
{
    char *at = to;
    while (size > 0) {
        ssize_t got = pread(fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

/*
 * The links of /proc/PID/map_files are the kernel's own: they lead to the very file that is mapped.
 */
static bool is_kernel_link(const char *path)
{
    unsigned pid;
    unsigned long from, to;
    int end = 0;
    return sscanf(path, "/proc/%u/map_files/%lx-%lx%n", &pid, &from, &to, &end) == 3 &&
           path[end] == '\0';
}

/* A region's file is there before its first byte: its process may die in between. */
static bool is_unborn_region(const char *path, const char magic[8])
{
    static const char nothing[8];
    struct region_name name;
    const char *slash = strrchr(path, '/');
    return memcmp(magic, nothing, sizeof(nothing)) == 0 &&
           region_name_parse(slash != NULL ? slash + 1 : path, &name);
}

static int check_kind(struct source_file *file, bool linked, struct error *error)
{
    struct stat status;
    if (fstat(file->fd, &status) != 0)
        return error_set(error, "cannot read '%s': %s", file->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, "'%s' is not a regular file: name a PID, a region or a snapshot",
                         file->path);
    file->size = (uint64_t)status.st_size;
    file->space = (uint64_t)status.st_blocks * 512;
    file->owner = status.st_uid;
    char magic[8] = "";
    if (file_read(file->fd, magic, sizeof(magic), 0) != 0)
        memset(magic, 0, sizeof(magic));
    if (memcmp(magic, TS_SNAPSHOT_MAGIC, sizeof(magic)) == 0) {
        file->kind = SOURCE_SNAPSHOT;
        return 0;
    }
    if (is_unborn_region(file->path, magic))
        return error_set(error,
                         "region '%s' is not ready: its process is just starting or died while it"
                         " did, try again",
                         file->path);
    if (memcmp(magic, TS_REGION_MAGIC, sizeof(magic)) != 0)
        return error_set(error,
                         "'%s' is neither a region nor a snapshot: name a PID or a file"
                         " that 'tracesnap snap' wrote",
                         file->path);
    file->kind = SOURCE_REGION;
    if (linked)
        return error_set(error, "region '%s' is a symbolic link: name the file itself", file->path);
    return 0;
}

int source_file_open(struct source_file *file, const char *path, bool writable, struct error *error)
{
    int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    bool linked = false;
    *file = (struct source_file){.path = path};
    file->fd = open(path, flags | (is_kernel_link(path) ? 0 : O_NOFOLLOW));
    if (file->fd < 0 && errno == ELOOP) {
        /* A link to a snapshot is a convenience; one to a region might be somebody's trap. */
        linked = true;
        file->fd = open(path, (flags & ~O_ACCMODE) | O_RDONLY);
    }
    if (file->fd < 0)
        return error_set(error, "cannot open '%s': %s", path, strerror(errno));
    /* While it is read nobody removes it (region/keep.h). Who cannot have the lock reads anyway. */
    flock(file->fd, LOCK_SH | LOCK_NB);
    if (check_kind(file, linked, error) != 0) {
        source_file_close(file);
        return -1;
    }
    return 0;
}

void source_file_close(struct source_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
