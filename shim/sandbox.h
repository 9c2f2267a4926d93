/*
 * Filters that the program puts on its own system calls (seccomp). Only the filter says what the
 * kernel will do for a call of ours, so it is asked before it is in force (filter.h): whatever it
 * would kill for is not made any more (sys_forbidden, system.h), and what will be needed later but
 * cannot be had then is done now.
 *
 * Seen are prctl(PR_SET_SECCOMP) and syscall(SYS_seccomp), which libseccomp, systemd, browsers and
 * OpenSSH use. Not seen: a filter that was in force before this program was exec'ed, and one put on
 * by an instruction of the program's own. Those must allow, or refuse with an error, what SYS_LIST
 * (system.h) says.
 */
#ifndef TRACESNAP_SHIM_SANDBOX_H
#define TRACESNAP_SHIM_SANDBOX_H

#include <stdbool.h>

/* Once the next definitions are known. */
void sandbox_start(void);

/* Whether the calls of a program's start, or of a forked child's first allocation, may be made. */
bool sandbox_allows_start(void);
bool sandbox_allows_child(void);

#endif
