#!/usr/bin/env python3
from fault import build, main, traced


def realloc_of_null():
    """realloc(NULL, n) frees nothing, also after large blocks have left free slots."""
    traced(build("realloc_null.c"))


main(realloc_of_null)
