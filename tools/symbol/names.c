/*
 * Demangling by libiberty, and file names made comparable.
 */
#include "tools/symbol/names.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * A mangled name of a hundred bytes can stand for gigabytes of text, since it may refer to parts of
 * itself. Real names stay below this; what does not is shown as it stands in the file.
 */
#define NAME_MAX_SIZE (64u << 10)

struct demangled {
    char *text;
    size_t length, capacity;
    jmp_buf too_long;
};

/*
 * libiberty has no other way to be stopped; the callback forms keep what they work on on the stack.
 */
static void take_piece(const char *piece, size_t length, void *opaque)
{
    struct demangled *out = opaque;
    if (length > NAME_MAX_SIZE - out->length) {
        longjmp(out->too_long, 1);
    }
    if (out->length + length > out->capacity) {
        out->capacity = (out->length + length) * 2;
        out->text = memory_resize(out->text, out->capacity, 1);
    }
    memcpy(out->text + out->length, piece, length);
    out->length += length;
}

/* Rust's older symbols are valid C++ ones with a hash at the end: Rust has to be tried first. */
static bool demangle(const char *symbol, struct demangled *out)
{
    const int style = DMGL_PARAMS | DMGL_ANSI;
    if (setjmp(out->too_long) != 0) {
        return false;
    }
    if (rust_demangle_callback(symbol, style, take_piece, out)) {
        return true;
    }
    out->length = 0;
    return cplus_demangle_v3_callback(symbol, style, take_piece, out) != 0;
}

const char *names_function(struct names *names, const char *symbol)
{
    const char *plain = strpool_intern(names->pool, symbol);
    if (plain[0] != '_' || (plain[1] != 'Z' && plain[1] != 'R')) {
        return plain;
    }
    uint64_t key = (uintptr_t)plain;
    const char *known = hash_map_get(&names->demangled, key);
    if (known != NULL) {
        return known;
    }
    struct demangled *out = memory_resize(NULL, 1, sizeof *out);
    out->text = NULL;
    out->length = out->capacity = 0;
    const char *name = plain;
    if (demangle(symbol, out) && out->length != 0) {
        name = strpool_intern_part(names->pool, out->text, out->length);
    }
    free(out->text);
    free(out);
    hash_map_put(&names->demangled, key, (void *)(uintptr_t)name);
    return name;
}

/* Appends one part of a path to the `length` bytes in `out`; returns the new length. */
static size_t add_part(char *out, size_t length, const char *part, size_t size)
{
    if (size == 0 || (size == 1 && part[0] == '.')) {
        return length;
    }
    if (size == 2 && part[0] == '.' && part[1] == '.') {
        size_t start = length;
        while (start > 0 && out[start - 1] != '/') {
            start--;
        }
        bool is_up = length - start == 2 && memcmp(out + start, "..", 2) == 0;
        if (length > start && !is_up) {
            return start > 1 ? start - 1 : start;
        }
        if (length > 0 && out[0] == '/') {
            return length; /* above the root is the root */
        }
    }
    if (length > 0 && out[length - 1] != '/') {
        out[length++] = '/';
    }
    memcpy(out + length, part, size);
    return length + size;
}

static size_t add_path(char *out, size_t length, const char *path)
{
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        length = add_part(out, length, path, size);
        path += size;
        path += *path == '/';
    }
    return length;
}

const char *names_file(struct names *names, const char *directory, const char *path)
{
    if (path == NULL || path[0] == '\0') {
        return NULL;
    }
    if (path[0] == '/' || directory == NULL) {
        directory = "";
    }
    char *out = memory_resize(NULL, strlen(directory) + strlen(path) + 3, 1);
    size_t length = 0;
    if (path[0] == '/' || directory[0] == '/') {
        out[length++] = '/';
    }
    length = add_path(out, length, directory);
    length = add_path(out, length, path);
    const char *file = length != 0 ? strpool_intern_part(names->pool, out, length) : NULL;
    free(out);
    return file;
}
