/*
 * What CPython's collector of cycles says of itself: enabled, thresholds, counts, statistics.
 */
#ifndef TRACESNAP_SHIM_PYTHON_GC_H
#define TRACESNAP_SHIM_PYTHON_GC_H

#include "region/python.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the collector's state can be read in this interpreter: version as PY_VERSION_HEX, runtime
 * the address of its _PyRuntime (NULL = not known, which 3.13 and later need).
 */
bool python_gc_known(uint32_t version, const void *runtime);

/*
 * Copies to gc_known, gc_enabled and generations of *to what the gc module would say of the
 * interpreter at `interpreter` (PyInterpreterState_Main()), which must be live: the caller holds
 * its lock. False, with nothing written, where the version is not known or what lies there is not
 * what it should be. Plain loads and stores only, never of what the state points to.
 */
bool python_gc_copy(struct ts_interpreter *to, const void *interpreter, uint32_t version,
                    const void *runtime);

#endif
