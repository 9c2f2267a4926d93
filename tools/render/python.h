/*
 * What reports say of Python: which interpreter it was, why its lines are missing, and the domains
 * of blocks.
 */
#ifndef TRACESNAP_TOOLS_RENDER_PYTHON_H
#define TRACESNAP_TOOLS_RENDER_PYTHON_H

#include "tools/base/capture.h"
#include "tools/model/report.h"

#include <stdio.h>

/* "3.12.1", "3.15.0a2", of a PY_VERSION_HEX; "" for 0; buffer of 32 bytes. */
const char *format_python_version(char *buffer, uint32_t version);

/* The word of ts_process.python in JSON, and why there are no lines of Python: NULL = there are, or
 * it is no Python. */
const char *python_state(const struct capture *capture);
const char *python_reason(const struct capture *capture);

/* One line that says that there are no lines of Python, and why, where that is so. */
void print_python(const struct capture *capture, const char *indent, FILE *out);

/* "mem+obj": the domains of a row, the one that holds most first; buffer of 32 bytes. */
const char *format_domains(char *buffer, const struct report_row *row);

#endif
