/*
 * What an executable file tells of itself.
 */
#ifndef TRACESNAP_TOOLS_CMD_DOCTOR_ELF_H
#define TRACESNAP_TOOLS_CMD_DOCTOR_ELF_H

#include "tools/render/findings.h"

/* Machine, dynamic linking, C library, an allocator of its own, symbols. */
void doctor_check_elf(struct findings *findings, const char *path);

#endif
