"""The tracer is left in the midst of an allocation, at one instant after the other: cut.py BOOKS."""
import itertools
import os
import sys

import natives

for count in itertools.count(1, 3):
    if not natives.cut_short(count):
        break
natives.save(sys.argv[1])
print(count, flush=True)
os._exit(0)
