/*
 * A line on the terminal that says that something takes its time: it appears after a second and is
 * gone when the work is done. Only one at a time.
 */
#ifndef TRACESNAP_TOOLS_RENDER_PROGRESS_H
#define TRACESNAP_TOOLS_RENDER_PROGRESS_H

/* Does nothing unless stderr is a terminal. `what` must stay valid until progress_end. */
void progress_begin(const char *what);

/* Clears the line, so that a message can be printed; it comes back by itself. */
void progress_clear(void);

void progress_end(void);

#endif
