#!/usr/bin/env python3
"""C++'s operators are decided on once, whether the allocator serves them inside or by its malloc."""
import functools

from sampled import build, compare, equal, main, rows, sampled

SAMPLE = 700


def check(library):
    flags = ["-Wl,--no-as-needed", f"-l{library}"] if library else []
    program = build("../sampling/operators.cc", *flags, "-std=gnu++17", output=f"sampled_operators_{library}")
    output, stats = sampled(program, sample=SAMPLE)
    compare(output, stats, SAMPLE)
    for place in ("array", "aligned"):
        row = rows(stats)[place]
        equal(f"{place}: live", (row["count"], row["size"]), (0, 0))


def of(library):
    function = functools.partial(check, library)
    function.__doc__ = f"operator new and delete of {library or 'libstdc++'}, sampled."
    return function


if __name__ == "__main__":
    main(of(""), of("jemalloc"), of("tcmalloc"), of("mimalloc"))
