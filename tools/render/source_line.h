/*
 * One line of a source file, for tracebacks.
 */
#ifndef TRACESNAP_TOOLS_RENDER_SOURCE_LINE_H
#define TRACESNAP_TOOLS_RENDER_SOURCE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_LINE_MAX 256

/*
 * Reads line `line` of `file`, without the blanks around it and without control characters, cut to
 * the buffer of SOURCE_LINE_MAX bytes. false if there is no such line to read, or it is blank.
 */
bool source_line(char *text, const char *file, uint32_t line);

#endif
