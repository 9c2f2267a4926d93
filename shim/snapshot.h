/*
 * A snapshot from inside: the shim's own copy of its region, in a file.
 */
#ifndef TRACESNAP_SHIM_SNAPSHOT_H
#define TRACESNAP_SHIM_SNAPSHOT_H

/* 0, or a negative errno; then nothing is left behind, and what was at `path` before still is. */
int snapshot_save(const char *path);

#endif
