#!/usr/bin/env python3
import tempfile

from fault import build, equal, main, traced


def descriptors():
    """The shim holds no descriptor, writes to none, and sets neither errno nor dlerror()."""
    with tempfile.TemporaryDirectory() as directory:
        _, stats = traced(build("descriptors.c", "-ldl"), f"{directory}/file")
        equal("stacks by libunwind", stats["shim"]["odd_frames"] >= 100, True)
        equal("stacks that ended early", stats["drops"]["no_unwind"], 0)


main(descriptors)
