/*
 * Finds the shim and prepares the environment of a program to be traced.
 */
#include "tools/cmd/library.h"

#include "region/name.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libtracesnap.so"
#define BUILD_LEVELS 3 /* the tool may lie in BUILD, BUILD/tools or BUILD/tools/.libs */

static bool copy_readable(char *path, size_t size, const char *candidate)
{
    char real[PATH_MAX];
    if (access(candidate, R_OK) != 0 || !realpath(candidate, real) || strlen(real) >= size)
        return false;
    strcpy(path, real);
    return true;
}

static bool find_by_pattern(char *path, size_t size, const char *directory, const char *pattern)
{
    char candidate[PATH_MAX + 64];
    glob_t found;
    bool ok = false;
    snprintf(candidate, sizeof(candidate), "%s/%s", directory, pattern);
    if (glob(candidate, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && !ok; i++)
            ok = copy_readable(path, size, found.gl_pathv[i]);
        globfree(&found);
    }
    return ok;
}

static bool find_beside(char *path, size_t size)
{
    static const char *const built[] = {".libs/" LIBRARY, "shim/.libs/" LIBRARY};
    static const char *const installed[] = {"../lib/" LIBRARY, "../lib64/" LIBRARY,
                                            "../lib/*/" LIBRARY};
    char directory[PATH_MAX], above[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
    if (length <= 0)
        return false;
    directory[length] = '\0';
    *strrchr(directory, '/') = '\0';
    strcpy(above, directory);
    for (int level = 0; level < BUILD_LEVELS; level++) {
        for (size_t i = 0; i < sizeof(built) / sizeof(built[0]); i++)
            if (find_by_pattern(path, size, above, built[i]))
                return true;
        char *slash = strrchr(above, '/');
        if (!slash)
            break;
        *slash = '\0';
    }
    for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++)
        if (find_by_pattern(path, size, directory, installed[i]))
            return true;
    return false;
}

int library_find(char *path, size_t size, struct error *error)
{
    if (!find_beside(path, size) && !copy_readable(path, size, TRACESNAP_LIBDIR "/" LIBRARY))
        return error_set(error,
                         "library not found '%s/%s': install tracesnap, or build it with 'make'",
                         TRACESNAP_LIBDIR, LIBRARY);
    if (strpbrk(path, ": "))
        return error_set(error,
                         "library's path has a blank or a colon '%s': LD_PRELOAD cannot name it, "
                         "move tracesnap",
                         path);
    return 0;
}

/* Sets NAME to `first`, a colon and `second`, of which one may be missing. */
static int set_joined(const char *name, const char *first, const char *second)
{
    char *joined;
    bool both = first && *first && second && *second;
    if (asprintf(&joined, "%s%s%s", first ? first : "", both ? ":" : "", second ? second : "") < 0)
        return -1;
    int status = setenv(name, joined, 1);
    free(joined);
    return status;
}

int library_preload(const char *path, const char *options, struct error *error)
{
    if (set_joined("LD_PRELOAD", path, getenv("LD_PRELOAD")) != 0 ||
        set_joined(TS_OPTIONS_VARIABLE, getenv(TS_OPTIONS_VARIABLE), options) != 0)
        return error_set(error, "no memory for the environment of '%s': free some", path);
    return 0;
}
