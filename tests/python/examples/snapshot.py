"""snapshot("before.tsnap") saves what tracesnap knows at this moment; it does nothing where the program is not traced."""

import ctypes
import os

program = ctypes.PyDLL(None, use_errno=True)  # PyDLL: no other thread runs Python meanwhile


def snapshot(path):
    take = getattr(program, "tracesnap_preloaded_take_snapshot", None)
    if take and take(os.fsencode(path)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), path)
