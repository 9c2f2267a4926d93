#!/usr/bin/env python3
import subprocess

from fault import Skip, build, main, traced


def unloaded():
    """A library where libc unloaded a module of iconv has its own name and stacks."""
    program = build("unloaded_by_libc.c", "-ldl")
    library = build("library.c", "-shared", "-fPIC", output="library.so")
    if subprocess.run([program, library], check=False, stderr=subprocess.DEVNULL).returncode == 77:
        raise Skip("libc does not unload its modules here")
    traced(program, library)


main(unloaded)
