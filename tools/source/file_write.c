/*
 * Writing a file that is there whole or not at all: written without a name, and given its name when
 * it is complete. Nothing is left behind, whenever and however the writing ends.
 */
#include "tools/source/reader.h"
#include "tools/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes {
    const char *at;
    size_t size;
};

static int write_all(int fd, const struct bytes *image)
{
    for (size_t done = 0; done < image->size;) {
        ssize_t put = write(fd, image->at + done, image->size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        done += (size_t)put;
    }
    return 0;
}

/* Writes and closes; errors that the file system kept for the end (NFS, quotas) count, too. */
static int fill_file(int fd, const struct bytes *image)
{
    int result = write_all(fd, image);
    int cause = errno;
    if (close(fd) != 0 && result == 0)
        return -1;
    errno = cause;
    return result;
}

static void temporary_name(char name[PATH_MAX], const char *path)
{
    static unsigned number;
    snprintf(name, PATH_MAX, "%.*s.%ld.%u.tmp", PATH_MAX - 40, path, (long)getpid(), number++);
}

/*
 * Gives the nameless file its name; where that exists already, by a detour, since a link never
 * replaces.
 */
static int name_file(int fd, const char *path)
{
    char link[64], temporary[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    temporary_name(temporary, path);
    if (linkat(AT_FDCWD, link, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) != 0)
        return -1;
    if (rename(temporary, path) == 0)
        return 0;
    int cause = errno;
    unlink(temporary);
    errno = cause;
    return -1;
}

/* For file systems that know no files without a name. */
static int write_by_rename(const struct bytes *image, const char *path)
{
    char temporary[PATH_MAX];
    temporary_name(temporary, path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fill_file(fd, image) == 0 && rename(temporary, path) == 0)
        return 0;
    int cause = errno;
    unlink(temporary);
    errno = cause;
    return -1;
}

static int write_regular(const struct bytes *image, const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof(directory), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    int fd = open(directory, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd < 0)
        return write_by_rename(image, path);
    int result = write_all(fd, image);
    if (result == 0 && name_file(fd, path) != 0)
        result = errno == ENOENT || errno == EPERM || errno == EACCES || errno == EXDEV
                     ? write_by_rename(image, path) /* no /proc, or links are forbidden here */
                     : -1;
    int cause = errno;
    close(fd);
    errno = cause;
    return result;
}

/* Whoever planted a link or a pipe under this name would choose what is written, or read it. */
static bool is_planted(const struct stat *status)
{
    return (S_ISLNK(status->st_mode) || S_ISFIFO(status->st_mode)) &&
           status->st_uid != geteuid() && status->st_uid != 0;
}

bool file_is_planted(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && lstat(path, &status) == 0 && is_planted(&status);
}

/* What is no regular file. If `path` is no link now, it was none when that was found. */
static int write_special(const struct bytes *image, const char *path, bool linked)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | (linked ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) && (linked || !is_planted(&status)))
        return fill_file(fd, image);
    close(fd);
    errno = EPERM;
    return -1;
}

int file_write(const char *path, const void *bytes, size_t size)
{
    const struct bytes all = {bytes, size}, *image = &all;
    struct stat named, status;
    char target[PATH_MAX];
    if (strcmp(path, "-") == 0)
        return write_all(STDOUT_FILENO, image);
    if (strlen(path) > PATH_MAX - 40) {
        errno = ENAMETOOLONG;
        return -1;
    }
    bool linked = false;
    if (lstat(path, &named) == 0) {
        if (is_planted(&named)) {
            errno = EPERM;
            return -1;
        }
        linked = S_ISLNK(named.st_mode);
        if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
            return write_special(image, path, linked);
    }
    /* One's own link stays a link: what it leads to is replaced. */
    return write_regular(image, linked && realpath(path, target) != NULL ? target : path);
}
