"""What the tests of this directory share: a program that uses every allocating function, and its books."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fault  # noqa: E402
from fault import SOURCE, TIMEOUT, Regions, Skip, drops, equal, main, run  # noqa: E402,F401
from tracesnap import SHIM, TOOL  # noqa: E402,F401

KEPT = (100, 100000)  # blocks and bytes that family.c keeps


def build(name, *flags, **more):
    """Compiles tests/faults/start/NAME."""
    return fault.build(f"start/{name}", *flags, **more)


def kept(regions, may_drop=()):
    """That the one region holds what family.c keeps, exactly, and nothing was dropped but what may be."""
    equal("regions", len(regions.all()), 1)
    stats = regions.stats(regions.all()[0])
    rows = [row for row in stats["stats"] if (row["file"] or "").endswith("/family.c")]
    equal("blocks and bytes of family.c", (sum(r["count"] for r in rows), sum(r["size"] for r in rows)), KEPT)
    equal("drops", drops(stats, possible=may_drop), [])
    return stats
