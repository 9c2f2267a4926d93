/*
 * Where a region lies and what it is called. The directory is $TRACESNAP_DIR, else
 * /dev/shm/tracesnap-UID, else ${TMPDIR:-/tmp}/tracesnap-UID; it is mode 0700 and the user's own.
 * The file is
 *
 *     PID-STARTTICKS            the first program of the process
 *     PID-STARTTICKS-SEQUENCE   after exec, SEQUENCE = 1, 2, ...
 *
 * with STARTTICKS as in field 22 of /proc/PID/stat: a reused pid is never mistaken for the old
 * process.
 */
#ifndef TRACESNAP_REGION_NAME_H
#define TRACESNAP_REGION_NAME_H

#define TS_DIR_VARIABLE "TRACESNAP_DIR"
#define TS_OPTIONS_VARIABLE "TRACESNAP_OPTIONS"
#define TS_DIR_SHM "/dev/shm/tracesnap-" /* followed by the uid in decimal */
#define TS_DIR_TMP_NAME "/tracesnap-"    /* after $TMPDIR or /tmp, followed by the uid */
#define TS_SEQUENCE_MAX 9999u

#endif
