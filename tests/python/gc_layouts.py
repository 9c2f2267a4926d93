"""Interpreters made by hand, field by field, for versions and builds that may not be on the machine.

The fields of CPython's structures in their order; ctypes lays them out as the C compiler does.
"""

import ctypes

U64 = ctypes.c_uint64
I32 = ctypes.c_int32
SSIZE = ctypes.c_ssize_t


def structure(name, fields):
    return type(name, (ctypes.Structure,), {"_fields_": list(fields)})


GENERATION = structure("gc_generation", [("next", U64), ("previous", U64), ("threshold", I32), ("count", I32)])
STATISTICS = structure("gc_generation_stats", [("collections", SSIZE), ("collected", SSIZE), ("uncollectable", SSIZE)])
BEGIN = [("trash_delete_later", U64), ("trash_delete_nesting", I32), ("enabled", I32), ("debug", I32),
         ("generations", GENERATION * 3)]
YOUNGEST = [("generation0", U64)]
MIDDLE = [("permanent_generation", GENERATION), ("generation_stats", STATISTICS * 3), ("collecting", I32),
          ("garbage", U64), ("callbacks", U64)]
LONG_LIVED = [("long_lived_total", SSIZE), ("long_lived_pending", SSIZE)]
UP_TO_313 = structure("gc_up_to_313", BEGIN + YOUNGEST + MIDDLE + LONG_LIVED)
INCREMENTAL = structure("gc_314", BEGIN + MIDDLE + [("heap_size", SSIZE), ("work_to_do", SSIZE),
                                                    ("visited_space", I32), ("phase", I32)])
GENERATIONAL = structure("gc_3145", BEGIN + MIDDLE + [("heap_size", SSIZE), ("unused1", SSIZE), ("unused2", I32),
                                                      ("unused3", I32)] + LONG_LIVED + YOUNGEST)

INTERPRETER_313 = ("size id next threads_head gc imports_modules sysdict builtins ceval_gil gil_runtime_state"
                   " gil_runtime_state_enabled gil_runtime_state_locked gil_runtime_state_holder").split()
INTERPRETER_314 = ("size id next threads_head threads_main gc imports_modules sysdict builtins ceval_gil"
                   " gil_runtime_state gil_runtime_state_enabled gil_runtime_state_locked gil_runtime_state_holder"
                   " code_object_generation tlbc_generation").split()


def offsets(interpreter, *between):
    """_Py_DebugOffsets up to the collector's group: how many numbers each group in between has."""
    def group(names):
        return structure("group", [(name, U64) for name in names])
    return structure("offsets", [
        ("cookie", ctypes.c_char * 8), ("version", U64), ("free_threaded", U64),
        ("runtime_state", U64 * 3), ("interpreter_state", group(interpreter)),
        *(("group%d" % i, U64 * count) for i, count in enumerate(between)),
        ("gc", group(["size", "collecting"]))])


# thread state, frame, code, object, type, tuple, list, (3.14: set,) dict, float, int, bytes, str
OFFSETS_313 = offsets(INTERPRETER_313, 9, 6, 10, 2, 4, 3, 3, 3, 2, 3, 3, 4)
OFFSETS_314 = offsets(INTERPRETER_314, 9, 8, 11, 2, 4, 3, 3, 4, 3, 2, 3, 3, 4)


class Made:
    """A runtime and an interpreter of 3.13 or later, whose collector's state is filled with distinct numbers."""

    def __init__(self, version, offsets_type, state_type, at=7400):
        self.runtime = offsets_type(cookie=b"xdebugpy", version=version)
        self.runtime.interpreter_state.size = at + 4096
        self.runtime.interpreter_state.gc = at
        self.runtime.gc.size = ctypes.sizeof(state_type)
        self.runtime.gc.collecting = state_type.collecting.offset
        self.version = version
        self.memory = ctypes.create_string_buffer(b"\xa5" * (at + 4096))
        self.state = state_type.from_buffer(self.memory, at)
        ctypes.memset(ctypes.addressof(self.state), 0x5a, ctypes.sizeof(state_type))
        self.state.enabled, self.state.collecting = 1, 0
        for i in range(3):
            self.state.generations[i].threshold = 1000 + i
            self.state.generations[i].count = 20 + i
            self.state.generation_stats[i] = STATISTICS(100 * i + 1, 100 * i + 2, 100 * i + 3)
        if hasattr(state_type, "generation0"):
            self.state.generation0 = ctypes.addressof(self.state) + state_type.generations.offset
        if hasattr(state_type, "visited_space"):
            self.state.visited_space = 0
