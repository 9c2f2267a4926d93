/*
 * Terminal text: colours that are there or not, and figures as people read them.
 */
#ifndef TRACESNAP_TOOLS_RENDER_STYLE_H
#define TRACESNAP_TOOLS_RENDER_STYLE_H

#include "tools/base/capture.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum style { STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_PLAIN };

/* The escape sequence that begins a style; "" without colour. STYLE_PLAIN ends every style. */
const char *style(bool color, enum style style);

/* "1,234,567"; buffer of 32 bytes. */
const char *format_count(char *buffer, uint64_t count);

/* "340 ms", "12.5 s", "3 min 20 s", "5 h 12 min", "3 d 4 h"; buffer of 32 bytes. */
const char *format_duration(char *buffer, uint64_t ns);

/* "2026-01-31 12:00:00", local time; buffer of 32 bytes. */
const char *format_time(char *buffer, uint64_t ns);

/* size / count as tracemalloc prints an average; buffer of 32 bytes. */
const char *format_average(char *buffer, uint64_t size, uint64_t count);

/*
 * The command line, or the executable where it is empty, fit for a heading: runs of blanks as one, cut with
 * "..."; buffer of COMMAND_TEXT bytes.
 */
#define COMMAND_TEXT 104
const char *format_command(char *buffer, const struct capture_process *process);

/* One line that says so where the figures are estimates. */
void print_estimate(const struct capture *capture, const char *indent, FILE *out);

/* One line for each drop that is not zero: how many and what of, after `indent`. */
void print_drops(const struct capture *capture, const char *indent, bool color, FILE *out);

#endif
