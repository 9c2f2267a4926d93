#!/usr/bin/env python3
import os

from fault import SOURCE, build, main, run


def full():
    """A table of stacks that was filled by many threads at once ends its searches."""
    run([build("table_full.c", str(SOURCE / "shim/table.c"), str(SOURCE / "shim/memory.c"))], os.environ)


main(full)
