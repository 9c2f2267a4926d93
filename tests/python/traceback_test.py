#!/usr/bin/env python3
"""A program asks for the stack of one of its own blocks (include/tracesnap.h): Python frames have their source file.

    traceback_test.py [VERSION]...    only these interpreters, for example 3.11.2
"""

import json
import sys

from traced import Regions, Tap, equal, pythons, run

PROGRAM = """
import ctypes, json

class Frame(ctypes.Structure):
    _fields_ = [("object", ctypes.c_char_p), ("offset", ctypes.c_uint64)]

traceback = ctypes.PyDLL(None).tracesnap_preloaded_get_object_traceback
traceback.argtypes = ctypes.c_void_p, ctypes.POINTER(Frame), ctypes.c_size_t
traceback.restype = ctypes.c_size_t

def make(size):
    return bytes(size)

def caller():
    return make(1001)

kept, frames = caller(), (Frame * 200)()
count = traceback(id(kept), frames, 200)
print(json.dumps([[frame.object.decode(), frame.offset] for frame in frames[:count]]))
"""


def check(python):
    with Regions() as regions:
        program = regions.scratch / "asks.py"
        program.write_text(PROGRAM)
        frames = json.loads(run([python.path, "-B", program], regions.traced()))
    own = [offset for name, offset in frames if name == str(program)]
    equal("Python frames: make, caller, <module>", len(own), 3)
    if not all(0 < offset < 1000 for offset in own):
        raise AssertionError(f"offsets {own}, expected some within small functions")
    if not any(name and name != str(program) for name, offset in frames):
        raise AssertionError(f"no native frames: {frames}")


def main():
    tap = Tap()
    for python in pythons():
        tap.check(f"{python}: the stack of a block has frames of both languages", check, python)
    sys.exit(tap.done())


if __name__ == "__main__":
    main()
