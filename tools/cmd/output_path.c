/*
 * Patterns for names of snapshot files, and the check that spares a long run for nothing.
 */
#include "tools/cmd/output_path.h"

#include "tools/base/strpool.h"
#include "tools/source/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool output_path_is_pattern(const char *pattern)
{
    return strstr(pattern, "%p") != NULL;
}

static char *join(const char *first, const char *second)
{
    size_t length = strlen(first);
    char *text = memory_resize(NULL, length + strlen(second) + 2, 1);
    sprintf(text, "%s.%s", first, second);
    return text;
}

char *output_path(const char *pattern, const char *label)
{
    size_t size = 1;
    for (const char *s = pattern; *s; s++)
        size += s[0] == '%' && s[1] == 'p' ? strlen(label) : 1;
    char *path = memory_resize(NULL, size, 1);
    char *end = path;
    for (const char *s = pattern; *s; s++) {
        if (s[0] == '%' && s[1] == 'p') {
            end = stpcpy(end, label);
            s++;
        } else
            *end++ = *s;
    }
    *end = '\0';
    return path;
}

char *output_path_of_child(const char *pattern, const char *label)
{
    return output_path_is_pattern(pattern) ? output_path(pattern, label) : join(pattern, label);
}

int output_path_check(const char *path, struct error *error)
{
    struct stat status;
    char *directory = strdup(path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    int result = 0;
    if (slash)
        slash[slash == directory] = '\0';
    const char *where = slash ? directory : ".";
    if (file_is_planted(path))
        result = error_set(error, FILE_PLANTED, path);
    else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        result = error_set(error, "not a regular file '%s': give -o the name of a file", path);
    else if (stat(where, &status) != 0)
        result = error_set(error, "no such directory '%s': create it or give -o another name",
                           where);
    else if (!S_ISDIR(status.st_mode))
        result = error_set(error, "not a directory '%s': give -o another name", where);
    else if (access(where, W_OK | X_OK) != 0)
        result = error_set(
            error, "%s '%s': give -o a name in a directory that you may write to",
            errno == EROFS ? "file system is read-only" : "no permission to write in", where);
    free(directory);
    return result;
}
