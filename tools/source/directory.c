/*
 * The directories of regions: the user's own, made where it is missing and refused where others
 * could plant something in it, and all those to look through.
 */
#include "tools/source/reader.h"

#include "region/name.h"
#include "tools/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The rule of the shim: a directory, no link, the user's own, and nobody else can write to it. */
static int make_usable(const char *path, struct error *error)
{
    struct stat status;
    mode_t mask = umask(077); /* which may keep from the owner what is needed here */
    int made = mkdir(path, 0700);
    umask(mask);
    if (made != 0 && errno != EEXIST)
        return error_set(error,
                         "cannot create region directory '%s': %s: set TRACESNAP_DIR to a"
                         " directory of yours",
                         path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set(error,
                         "cannot open region directory '%s': %s: set TRACESNAP_DIR to a directory"
                         " of yours with mode 0700",
                         path, strerror(errno));
    int result = fstat(fd, &status);
    close(fd);
    if (result != 0)
        return error_set(error, "cannot open region directory '%s': %s", path, strerror(errno));
    if (status.st_uid != geteuid())
        return error_set(error,
                         "region directory '%s' belongs to another user: set TRACESNAP_DIR to a"
                         " directory of yours with mode 0700",
                         path);
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(error,
                         "region directory '%s' can be written by others: chmod 700 it, or set"
                         " TRACESNAP_DIR to a directory of yours",
                         path);
    return 0;
}

int region_directory(char *path, size_t size, struct error *error)
{
    char place[PATH_MAX];
    struct error cause = {""};
    for (int which = 0; which < REGION_PLACES; which++) {
        if (!region_place(which, geteuid(), getenv(TS_DIR_VARIABLE), getenv("TMPDIR"), place))
            continue;
        if (make_usable(place, &cause) == 0) {
            if (strlen(place) >= size)
                return error_set(error, "path of the region directory '%s' is too long", place);
            memcpy(path, place, strlen(place) + 1);
            return 0;
        }
        if (which == 0)
            break; /* what was asked for by name is not replaced by something else */
    }
    return error_set(error, "%s", cause.text);
}

void directories_free(struct directories *directories)
{
    for (size_t i = 0; i < directories->count; i++)
        free(directories->paths[i]);
    free(directories->paths);
    *directories = (struct directories){0};
}

static bool is_listed(const struct directories *directories, const struct stat *status)
{
    struct stat other;
    for (size_t i = 0; i < directories->count; i++)
        if (stat(directories->paths[i], &other) == 0 && other.st_dev == status->st_dev &&
            other.st_ino == status->st_ino)
            return true;
    return false;
}

/* For a name that anybody can take first: one that is not `owner`'s is planted, and passed over. */
static bool is_planted(const struct stat *status, const uid_t *owner)
{
    return owner != NULL && status->st_uid != *owner;
}

static int add_directory(struct directories *directories, const char *path, const uid_t *owner)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode) || is_planted(&status, owner) ||
        is_listed(directories, &status))
        return 0;
    char **paths = reallocarray(directories->paths, directories->count + 1, sizeof(*paths));
    if (paths == NULL)
        return -1;
    directories->paths = paths;
    paths[directories->count] = strdup(path);
    return paths[directories->count++] != NULL ? 0 : -1;
}

/* Those of all users: what follows the stem is the number of the user whose it must be. */
static int add_users(struct directories *directories, const char *stem)
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    int result = 0;
    snprintf(pattern, sizeof(pattern), "%s[0-9]*", stem);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; result == 0 && i < found.gl_pathc; i++) {
            char *end;
            uid_t owner = (uid_t)strtoul(found.gl_pathv[i] + strlen(stem), &end, 10);
            if (*end == '\0')
                result = add_directory(directories, found.gl_pathv[i], &owner);
        }
    }
    globfree(&found);
    return result;
}

int directories_list(struct directories *directories, bool all_users, struct error *error)
{
    char path[PATH_MAX];
    int result = 0;
    const uid_t own = geteuid();
    *directories = (struct directories){0};
    for (int which = 0; result == 0 && which < REGION_PLACES; which++)
        if (region_place(which, own, getenv(TS_DIR_VARIABLE), getenv("TMPDIR"), path))
            result = add_directory(directories, path, which == 0 ? NULL : &own);
    if (result == 0 && all_users && geteuid() == 0 &&
        (add_users(directories, TS_DIR_SHM) != 0 ||
         add_users(directories, "/tmp" TS_DIR_TMP_NAME) != 0))
        result = -1;
    if (result != 0) {
        directories_free(directories);
        return error_set(error, "out of memory for the list of region directories");
    }
    return 0;
}
