#!/usr/bin/env python3
import functools

from fault import build, main, traced


def check(library):
    flags = ["-Wl,--no-as-needed", f"-l{library}"] if library else []
    program = build("operators.cc", *flags, "-std=gnu++17", output=f"operators_{library}")
    traced(program, *(["no failures"] if library == "mimalloc" else []))


def local():
    """A library of C++ in a program of C."""
    library = build("cxx_library.cc", "-shared", "-fPIC", "-std=gnu++17", output="cxx_library.so")
    traced(build("local_cxx.c", "-ldl"), library)


def of(library):
    function = functools.partial(check, library)
    function.__doc__ = f"operator new and delete of {library or 'libstdc++'} are recorded."
    return function


main(of(""), of("jemalloc"), of("tcmalloc"), of("mimalloc"), local)
