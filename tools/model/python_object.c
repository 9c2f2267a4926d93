/*
 * What a Python file belongs to, for rows by object. A native frame's object is the library that
 * was installed and loaded; a Python file's is the package, as a user installs and upgrades it:
 *
 *     .../site-packages/NAME/...       the directory of the package, or the module's file
 *     .../dist-packages/NAME/...       the same, as Debian calls it
 *     .../lib/python3.11/...           the standard library: that directory
 *
 * Any other file is its own object: whoever has the file can see what it belongs to.
 */
#include "tools/model/model.h"

#include <ctype.h>
#include <string.h>

/* Behind the last piece of the path that is this directory; NULL = none is. */
static const char *behind_directory(const char *file, const char *directory)
{
    const char *found = NULL;
    for (const char *at = file; (at = strstr(at, directory)) != NULL; at++)
        found = at + strlen(directory);
    return found;
}

static const char *behind_standard_library(const char *file)
{
    static const char begin[] = "/lib/python";
    for (const char *at = file; (at = strstr(at, begin)) != NULL;) {
        at += sizeof(begin) - 1;
        const char *end = at;
        while (isdigit((unsigned char)*end) || *end == '.' || *end == 't')
            end++;
        if (end > at && *end == '/')
            return end;
    }
    return NULL;
}

const char *python_object(struct strpool *pool, const char *file)
{
    const char *package = behind_directory(file, "/site-packages/");
    const char *debian = behind_directory(file, "/dist-packages/");
    if (package == NULL || (debian != NULL && debian > package))
        package = debian;
    const char *end = package != NULL ? package + strcspn(package, "/")
                                      : behind_standard_library(file);
    return end != NULL ? strpool_intern_part(pool, file, (size_t)(end - file)) : file;
}
