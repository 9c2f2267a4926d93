#!/usr/bin/env python3
import os

from fault import SOURCE, build, main, run


def full():
    """A table of stacks that was filled by many threads at once ends its searches."""
    sources = [str(SOURCE / "shim" / name) for name in ("table.c", "memory.c")]
    run([build("table_full.c", *sources)], os.environ)


main(full)
