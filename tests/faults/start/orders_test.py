#!/usr/bin/env python3
"""Other allocators beside the shim, before it or behind it, and all that changes how libraries are loaded: the
program runs right; what is recorded is exact, or nothing is recorded."""

import functools
import shutil
import subprocess

from start import SHIM, TIMEOUT, Regions, Skip, build, equal, kept, main, run

ALLOCATORS = {
    "jemalloc": "libjemalloc.so.2",
    "tcmalloc": "libtcmalloc.so.4",
    "mimalloc": "libmimalloc.so.2",
    "glibc's malloc_debug": "libc_malloc_debug.so.0",
}


def find(name):
    found = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    for line in found.splitlines():
        if line.split()[:1] == [name]:
            return line.split()[-1]
    raise Skip(f"no {name}")


def behind(name):
    library = find(ALLOCATORS[name])
    with Regions() as regions:
        run([build("family.c")], regions.environment(LD_PRELOAD=f"{SHIM}:{library}"))
        kept(regions)


def before(name):
    library = find(ALLOCATORS[name])
    with Regions() as regions:
        run([build("family.c")], regions.environment(LD_PRELOAD=f"{library}:{SHIM}"))
        equal("regions", regions.all(), [])


def named(function, text):
    function.__doc__ = text
    return function


def own_malloc():
    """A program with a malloc of its own: it runs, nothing is recorded, and verbose=1 says why."""
    program = build("family.c", "-DOWN", output="family_own")
    with Regions() as regions:
        done = subprocess.run(
            [program], env=regions.traced("verbose=1"), capture_output=True, timeout=TIMEOUT, check=False
        )
        equal("status", done.returncode, 0)
        equal("what is said", done.stderr.decode().count("nothing recorded"), 1)
        equal("regions", regions.all(), [])


def chained():
    """A program whose malloc and free look for the next ones at their first call."""
    program = build("family.c", "-DCHAIN", "-ldl", output="family_chain")
    with Regions() as regions:
        run([program], regions.traced())
        kept(regions, may_drop=("early",))


def chained_library():
    """The same in a library that is preloaded before the shim, and behind it."""
    library = build("wrapper.c", "-shared", "-fPIC", "-ldl", output="wrapper.so")
    for preload in (f"{library}:{SHIM}", f"{SHIM}:{library}"):
        with Regions() as regions:
            run([build("family.c")], regions.environment(LD_PRELOAD=preload))
            kept(regions, may_drop=("early",))


def nested():
    """An allocator whose functions call each other by name: each block counts once."""
    library = build("nested.c", "-shared", "-fPIC", output="nested.so")
    for options in ("", "verify=1"):
        with Regions() as regions:
            run([build("family.c")], regions.environment(options, LD_PRELOAD=f"{SHIM}:{library}"))
            kept(regions)


def valgrind():
    """Under valgrind's memcheck, which serves malloc: no error, nothing recorded; with no tool: traced."""
    if shutil.which("valgrind") is None:
        raise Skip("no valgrind")
    for tool, recorded in (("memcheck", False), ("none", True)):
        with Regions() as regions:
            program = str(build("family.c"))
            command = ["valgrind", "-q", f"--tool={tool}", "--error-exitcode=9", "--trace-children=yes"]
            run([*command, "env", f"LD_PRELOAD={SHIM}", program], regions.environment())
            if recorded:
                for path in regions.all()[:-1]:  # valgrind's own programs
                    path.unlink()
                kept(regions)
            else:
                stats = [regions.stats(path) for path in regions.all()]
                wrong = [row for one in stats for row in one["stats"] if "family.c" in (row["file"] or "")]
                equal("recorded", wrong, [])


def loading():
    """Bound at once, audited, with glibc's tunables and checks."""
    audit = build("audit.c", "-shared", "-fPIC", output="audit.so")
    tunables = "glibc.malloc.tcache_count=0:glibc.malloc.perturb=85:glibc.malloc.arena_max=1"
    for more in (
        {"LD_BIND_NOW": "1"},
        {"LD_AUDIT": str(audit)},
        {"GLIBC_TUNABLES": tunables, "MALLOC_PERTURB_": "170", "MALLOC_CHECK_": "3"},
        {"LD_BIND_NOT": "1"},
    ):
        with Regions() as regions:
            run([build("family.c")], regions.traced(**more))
            kept(regions)


def namespaces():
    """A second libc in a namespace of its own, and a library that binds to its own libc (RTLD_DEEPBIND)."""
    library = build("deepbind_library.c", "-shared", "-fPIC", output="deepbind_library.so")
    with Regions() as regions:
        run([build("namespaces.c", "-ldl"), library], regions.traced())
        equal("regions", len(regions.all()), 1)
        rows = [r for r in regions.stats(regions.all()[0])["stats"] if (r["file"] or "").endswith("/namespaces.c")]
        rows = [row for row in rows if row["size"] == 1000 * row["count"]]  # the others are the loader's
        # Of those that the library freed unseen, each address came again.
        equal("live", (sum(r["count"] for r in rows), sum(r["size"] for r in rows)), (100, 100000))


main(
    *[named(functools.partial(behind, name), f"{name} behind the shim") for name in ALLOCATORS],
    *[named(functools.partial(before, name), f"{name} before the shim: nothing is recorded") for name in ALLOCATORS],
    own_malloc,
    chained,
    chained_library,
    nested,
    valgrind,
    loading,
    namespaces,
)
