/*
 * What doctor finds. A check adds findings; how they are shown is render's business.
 */
#ifndef TRACESNAP_TOOLS_CMD_DOCTOR_H
#define TRACESNAP_TOOLS_CMD_DOCTOR_H

#include "tools/render/findings.h"

/* The machine and the user's environment: library, region directory, limits. */
void doctor_check_environment(struct findings *findings);

/* What the system allows a process: resource limits, memory, system calls; the namespaces it is in. */
void doctor_check_limits(struct findings *findings);

/* One program: its file, its interpreter, its C library, its allocator, its symbols. */
void doctor_check_program(struct findings *findings, const char *program);

#endif
