#!/usr/bin/env python3
"""What the built library is made of: the functions that it defines and needs, and how it is loaded."""

import re
import subprocess

from start import SHIM, SOURCE, Skip, equal, main

# The GNU C library's manual, "Replacing malloc": what must be there, and what else a program may call.
MANUAL = """malloc free calloc realloc aligned_alloc malloc_usable_size memalign posix_memalign pvalloc valloc""".split()
# Later additions (C23; reallocarray of glibc 2.26) and the operators of the Itanium C++ ABI.
LATER = "reallocarray free_sized free_aligned_sized".split()

# Everything that the shim asks of libc: nothing of it locks (after start-up), allocates, writes or waits.
IMPORTS = """
    __cxa_finalize __gmon_start__ _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable
    __environ environ __errno_location __libc_stack_end _dl_find_object _r_debug getauxval clock_gettime secure_getenv
    memcmp memcpy memmove memset strcmp strlen strncmp
    dladdr dlerror dlopen dlsym __register_atfork
    pthread_key_create pthread_key_delete pthread_self pthread_setspecific
""".split()


def lines(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError as error:
        raise Skip(f"no {command[0]}") from error


def symbols(library, *flags):
    return {line.split()[-1].split("@")[0] for line in lines("nm", "-D", *flags, library)}


def hooks():
    text = (SOURCE / "shim" / "hooks.h").read_text(encoding="utf-8")
    return set(re.findall(r"^ +X\([^,]+, (\w+),", text, re.MULTILINE))


def complete():
    """All functions of the malloc family are defined, those of the list and of the manual."""
    defined = symbols(SHIM, "--defined-only")
    equal("missing of the manual's", sorted(set(MANUAL + LATER) - defined), [])
    others = {name for name in defined if not name.startswith("tracesnap_preloaded_")}
    equal("defined beside the list of hooks", sorted(others ^ hooks()), [])


def operators():
    """All operators new and delete of libstdc++ are defined."""
    path = lines("cc", "-print-file-name=libstdc++.so.6")[0]
    if not path.startswith("/"):
        raise Skip("no libstdc++.so.6")
    theirs = {s for s in symbols(path, "--defined-only") if re.fullmatch(r"_Z[nd][wal](m|Pv)\w*", s)}
    equal("there are some", len(theirs) >= 20, True)
    equal("missing", sorted(theirs - symbols(SHIM, "--defined-only")), [])


def imports():
    """Nothing is needed from libc but what the list says: no stdio, no lock, no allocation."""
    equal("needed", sorted(symbols(SHIM, "--undefined-only") - set(IMPORTS)), [])
    needed = [line for line in lines("readelf", "-dW", SHIM) if "(NEEDED)" in line]
    equal("libraries", sorted(re.findall(r"\[(.*?)\]", " ".join(needed))), ["ld-linux-x86-64.so.2", "libc.so.6"])


def thread_storage():
    """Thread-local storage is the static kind: its first use allocates nothing."""
    kinds = set(re.findall(r"R_X86_64_(\w*(?:TPOFF|DTP|TLS)\w*)", "\n".join(lines("readelf", "-rW", SHIM))))
    equal("kinds of relocations", sorted(kinds - {"TPOFF64"}), [])
    equal("static", any("STATIC_TLS" in line for line in lines("readelf", "-dW", SHIM)), True)


def binding():
    """All names are bound when it is loaded, and it is never unloaded."""
    flags = " ".join(line for line in lines("readelf", "-dW", SHIM) if "FLAGS" in line)
    for flag in ("BIND_NOW", "NOW", "NODELETE"):
        equal(flag, flag in flags.split(), True)
    equal("lazily bound", [line for line in lines("readelf", "-lW", SHIM) if "TEXTREL" in line], [])


main(complete, operators, imports, thread_storage, binding)
