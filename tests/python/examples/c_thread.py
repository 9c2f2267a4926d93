"""A thread that runs C and no Python: it calls malloc(1000000) and ends."""

import ctypes

from snapshot import snapshot

libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, libc.malloc, ctypes.c_void_p(1_000_000))
libc.pthread_join(thread, None)
snapshot("c_thread.tsnap")
