/*
 * The places where distributions, gdb and elfutils keep separate debug files.
 */
#include "tools/symbol/debugfile.h"

#include "tools/base/strpool.h"

#include <dlfcn.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DEBUG_DIRECTORY "/usr/lib/debug"

struct elf_file *debugfile_open_at(const char *root, const char *path)
{
    char full[PATH_MAX];
    size_t length = strlen(root);
    while (length > 0 && root[length - 1] == '/') {
        length--;
    }
    if ((size_t)snprintf(full, sizeof full, "%.*s%s", (int)length, root, path) >= sizeof full) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return elf_file_open(full);
}

/* Takes over `file` and gives it back when it has the build-id. */
static struct elf_file *keep_if_id(struct elf_file *file, struct build_id id)
{
    if (file != NULL && !build_id_equal(file->id, id)) {
        elf_file_close(file);
        return NULL;
    }
    return file;
}

/*
 * debuginfod's client brings in curl and more, so that it is loaded only where the user set
 * DEBUGINFOD_URLS, as elfutils itself does. Its own cache, timeouts and progress settings apply.
 */
static struct elf_file *ask_debuginfod(struct debug_search *search, struct build_id id)
{
    const char *urls = getenv("DEBUGINFOD_URLS");
    if (!search->online || urls == NULL || urls[strspn(urls, " ")] == '\0') {
        return NULL;
    }
    void *library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        search->online = false;
        return NULL;
    }
    void *(*begin)(void) = (void *(*)(void))dlsym(library, "debuginfod_begin");
    void (*end)(void *) = (void (*)(void *))dlsym(library, "debuginfod_end");
    int (*find)(void *, const unsigned char *, int, char **) =
        (int (*)(void *, const unsigned char *, int, char **))dlsym(library,
                                                                     "debuginfod_find_debuginfo");
    void *client = begin != NULL && end != NULL && find != NULL ? begin() : NULL;
    if (client == NULL) {
        search->online = false;
        return NULL;
    }
    char *path = NULL;
    int fd = find(client, id.bytes, (int)id.size, &path);
    end(client);
    struct elf_file *file = NULL;
    if (fd >= 0) {
        file = elf_file_from_fd(fd, path != NULL ? path : "debuginfod");
    } else if (fd != -ENOENT) {
        search->online = false; /* each further module would wait for the same time-out */
    }
    free(path);
    return keep_if_id(file, id);
}

/* In the traced process's own root first: what a container holds was made for it. */
static struct elf_file *by_local_id(const struct debug_search *search, struct build_id id)
{
    char path[sizeof DEBUG_DIRECTORY + 256];
    if (id.size < 2 || id.size > 64) {
        return NULL;
    }
    int length = snprintf(path, sizeof path, DEBUG_DIRECTORY "/.build-id/%02x/", id.bytes[0]);
    for (size_t i = 1; i < id.size; i++) {
        length += snprintf(path + length, sizeof path - (size_t)length, "%02x", id.bytes[i]);
    }
    snprintf(path + length, sizeof path - (size_t)length, ".debug");
    struct elf_file *file = NULL;
    if (search->process_root != NULL) {
        file = keep_if_id(debugfile_open_at(search->process_root, path), id);
    }
    return file != NULL ? file : keep_if_id(debugfile_open_at(search->sysroot, path), id);
}

struct elf_file *debugfile_by_id(struct debug_search *search, struct build_id id)
{
    struct elf_file *file = by_local_id(search, id);
    return file != NULL || id.size < 2 ? file : ask_debuginfod(search, id);
}

/* The checksum of .gnu_debuglink is zlib's CRC-32 over the whole debug file. */
static bool has_checksum(const struct elf_file *file, GElf_Word wanted)
{
    size_t size;
    const char *bytes = elf_rawfile(file->elf, &size);
    uLong sum = crc32_z(0, NULL, 0);
    return bytes != NULL && crc32_z(sum, (const Bytef *)bytes, size) == wanted;
}

/* Where both have a build-id it decides: equal ones spare reading gigabytes for the checksum. */
static struct elf_file *keep_if_linked(struct elf_file *debug, const struct elf_file *file,
                                       GElf_Word checksum)
{
    if (debug == NULL) {
        return NULL;
    }
    bool both = debug->id.size != 0 && file->id.size != 0;
    bool same_file = both ? build_id_equal(debug->id, file->id) : has_checksum(debug, checksum);
    if (!same_file) {
        elf_file_close(debug);
        return NULL;
    }
    return debug;
}

struct link {
    const struct elf_file *file;
    const char *name;
    GElf_Word checksum;
};

/* gdb's three places for a file that lies in `directory` (with the final '/'), all below `root`. */
static struct elf_file *search_link(const struct link *link, const char *root,
                                    const char *directory)
{
    static const char *const around[][2] = {{"", ""}, {"", ".debug/"}, {DEBUG_DIRECTORY, ""}};
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s%s%s%s", around[i][0], directory, around[i][1],
                              link->name);
        if ((size_t)length < sizeof path) {
            struct elf_file *debug =
                keep_if_linked(debugfile_open_at(root, path), link->file, link->checksum);
            if (debug != NULL) {
                return debug;
            }
        }
    }
    return NULL;
}

/* Cuts a path behind its last '/'; false where it has none. */
static bool cut_to_directory(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        slash[1] = '\0';
    }
    return slash != NULL;
}

static struct elf_file *by_link(const struct elf_file *file, const char *root, const char *path)
{
    struct link link = {.file = file};
    link.name = dwelf_elf_gnu_debuglink(file->elf, &link.checksum);
    char directory[PATH_MAX];
    /* A plain file name is what the section is for: anything else would lead out of the places. */
    if (link.name == NULL || link.name[0] == '\0' || strchr(link.name, '/') != NULL ||
        (size_t)snprintf(directory, sizeof directory, "%s", path) >= sizeof directory ||
        !cut_to_directory(directory)) {
        return NULL;
    }
    struct elf_file *debug = search_link(&link, root, directory);
    /* /lib may be a link to /usr/lib: packages name one, and the loader the other. */
    if (debug == NULL && root[0] == '\0' && realpath(file->path, directory) != NULL &&
        cut_to_directory(directory)) {
        debug = search_link(&link, root, directory);
    }
    return debug;
}

struct elf_file *debugfile_find(struct debug_search *search, const struct elf_file *file,
                                const char *root, const char *path)
{
    struct elf_file *debug = by_local_id(search, file->id);
    if (debug == NULL) {
        debug = by_link(file, root, path);
    }
    if (debug == NULL && file->id.size >= 2) {
        debug = ask_debuginfod(search, file->id);
    }
    return debug;
}

struct elf_file *debugfile_find_alternate(struct debug_search *search, Dwarf *dwarf,
                                          const struct elf_file *file)
{
    const char *name;
    const void *bytes;
    ssize_t size = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &bytes);
    if (size < 2) {
        return NULL;
    }
    struct build_id id = {.bytes = bytes, .size = (size_t)size};
    struct elf_file *found = by_local_id(search, id);
    if (found == NULL && name[0] == '/') {
        found = keep_if_id(debugfile_open_at(search->sysroot, name), id);
    } else if (found == NULL) {
        char path[PATH_MAX];
        if ((size_t)snprintf(path, sizeof path, "%s", file->path) < sizeof path &&
            cut_to_directory(path) && strlen(path) + strlen(name) < sizeof path) {
            found = keep_if_id(elf_file_open(strcat(path, name)), id);
        }
    }
    return found != NULL ? found : ask_debuginfod(search, id);
}
