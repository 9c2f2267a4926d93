/*
 * Standard output: through a pager on a terminal, checked at the end, quiet when nobody reads any
 * more.
 */
#ifndef TRACESNAP_TOOLS_RENDER_OUTPUT_H
#define TRACESNAP_TOOLS_RENDER_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Whether text to this stream is coloured: as the user said, else on a terminal unless NO_COLOR is
 * set. */
bool output_color(FILE *out, bool always, bool never);

/* Sends what follows on stdout through $PAGER (less -FRX), if stdout is a terminal. */
void output_page(void);

/* Flushes and closes stdout, waits for the pager. 0, or 2 when writing failed: an error was
 * printed. */
int output_close(void);

#endif
