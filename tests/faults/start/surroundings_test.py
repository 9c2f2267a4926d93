#!/usr/bin/env python3
"""A traced program finds around it what it would find otherwise."""

from start import SHIM, TOOL, Regions, build, equal, main, run


def own(text):
    """Without the variables that tracing is asked for by."""
    return [line for line in text.splitlines() if not line.startswith(("LD_PRELOAD=", "TRACESNAP_"))]


def same():
    """Environment, threads, descriptors, signals, limits, dlerror: as untraced, and the variables as given."""
    program = build("surroundings.c", "-pthread")
    with Regions() as regions:
        plain = run([program, "x"], regions.environment())
        environment = regions.traced("depth=100")
        traced = run([program, "x"], environment)
        equal("what it found", own(traced), own(plain))
        for name in ("LD_PRELOAD", "TRACESNAP_DIR", "TRACESNAP_OPTIONS"):
            equal(name, f"{name}={environment[name]}" in traced.splitlines(), True)
        equal("regions", len(regions.all()), 1)


def other_preloads():
    """`run` keeps what LD_PRELOAD names already, behind the shim."""
    library = build("wrapper.c", "-shared", "-fPIC", "-ldl", output="wrapper.so")
    with Regions() as regions:
        printed = run(
            [TOOL, "run", "--quiet", "--", "sh", "-c", "echo $LD_PRELOAD"], regions.environment(LD_PRELOAD=str(library))
        )
        names = printed.strip().split(":")
        equal("number of libraries", len(names), 2)
        equal("the first", names[0].endswith("libtracesnap.so"), True)
        equal("the second", names[1], str(library))
        equal("there is a shim", bool(SHIM), True)


main(same, other_preloads)
