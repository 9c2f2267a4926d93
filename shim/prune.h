/*
 * Removing the regions of processes that ended, so that they never fill their directory.
 */
#ifndef TRACESNAP_SHIM_PRUNE_H
#define TRACESNAP_SHIM_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Holds the limits of region/keep.h, or the options keep and keep_days, in the directory. full:
 * there is no space left, so all that nobody uses or wants goes. True if something was removed.
 */
bool prune_directory(const char *path, bool full);

#endif
