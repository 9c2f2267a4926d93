/*
 * Names as people read them: C++ and Rust symbols demangled, file names without detours. Both kept
 * once in the symbolizer's pool.
 */
#ifndef TRACESNAP_TOOLS_SYMBOL_NAMES_H
#define TRACESNAP_TOOLS_SYMBOL_NAMES_H

#include "tools/base/hash_map.h"
#include "tools/base/strpool.h"

struct names {
    struct strpool *pool;
    struct hash_map demangled; /* interned symbol (its address) -> interned name */
};

/*
 * The name of a symbol as it stands in the object file: demangled where it is mangled, else as it
 * is.
 */
const char *names_function(struct names *names, const char *symbol);

/*
 * A file's name, absolute where `directory` (that a relative path is relative to; NULL = unknown)
 * allows, without "//", "/./" and "dir/../" parts. This is by the text alone: the machine that the
 * program was built on, and its symbolic links, need not be here. A path that is NULL or "" gives
 * NULL.
 */
const char *names_file(struct names *names, const char *directory, const char *path);

#endif
