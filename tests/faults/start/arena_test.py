#!/usr/bin/env python3
"""What dlsym allocates before the next allocator is known."""

from start import SHIM, Regions, build, drops, equal, main, run


def arena():
    """Every function knows such blocks, for ever; when there is no more room, they fail as malloc does."""
    library = build("arena_dlsym.c", "-shared", "-fPIC", "-ldl", optimise="-O2", output="arena_dlsym.so")
    program = build("arena.c", str(library))
    with Regions() as regions:
        run([program], regions.environment(LD_PRELOAD=f"{library}:{SHIM}"))
        equal("regions", len(regions.all()), 1)
        stats = regions.stats(regions.all()[0])
        equal("drops", drops(stats, possible=("early",)), [])
        equal("live", [r for r in stats["stats"] if (r["file"] or "").endswith("/arena.c") and r["count"]], [])


main(arena)
