/*
 * How long the regions of processes that ended are kept, and how much they may take together.
 *
 * Whether a region is in use, its lock tells: its process holds a shared lock (flock(2)) on it,
 * through its mapping and without a descriptor, until it ends or execs, however that happens and
 * whatever pid namespace it is in; a reader holds one through its descriptor. Who could lock it
 * exclusively sees a region that nobody uses. A region whose process could not take the lock
 * (ts_process.locked is 0) is in use as long as /proc knows the process, and for whoever is in
 * another pid namespace.
 *
 * That a process ended is noted by the first who looks: the region's mode becomes 0400, and the
 * time of that change (st_ctime) is when its end was noticed. A region that was never ready belongs
 * to a process that was killed while it started, once it is old enough.
 *
 * What is not in use is removed, what was noticed first goes first, where it
 *  - was noticed longer ago than so many days, or
 *  - takes, with all the others, more than so many bytes;
 * but never while the `tracesnap run` runs that its session names, since that will save it.
 *
 * Who looks: about every sixteenth process when it makes its region (shim/prune.c), each process
 * whose region finds the file system full, `tracesnap run` before it starts, and `tracesnap prune`.
 */
#ifndef TRACESNAP_REGION_KEEP_H
#define TRACESNAP_REGION_KEEP_H

#include <stdint.h>

#define TS_KEEP_DAYS 7u
#define TS_KEEP_DAYS_MAX 36500u
#define TS_KEEP_SIZE_MAX (UINT64_C(1) << 40)
#define TS_KEEP_SIZE (UINT64_C(1) << 30) /* bytes; and no more than: */
#define TS_KEEP_PART 4u                  /* this part of the file system */
#define TS_KEEP_UNBORN 60                /* seconds until a region without a beginning is dead */
#define TS_KEEP_MODE 0400u               /* of a region whose process was seen to have ended */

/*
 * A session is called PID-STARTTICKS-NAMESPACE after its `tracesnap run`: pid and start time as in
 * a region's name, and the inode of the pid namespace in which they hold. With -main behind it only
 * the program is wanted that `run` itself started, for the summary: the region whose parent_pid is
 * PID. Any other name is the user's own, and keeps nothing. From another namespace nobody can tell:
 * the session counts as running until the region has been kept for its days.
 */
#define TS_SESSION_MAIN "-main"
#define TS_NAMESPACE_LINK "/proc/self/ns/pid" /* links to "pid:[INODE]" */
#define TS_NAMESPACE_PREFIX "pid:["

#endif
