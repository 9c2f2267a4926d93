/*
 * TRACESNAP_OPTIONS=key=value:key=value. One table, in options.c.
 */
#ifndef TRACESNAP_SHIM_OPTIONS_H
#define TRACESNAP_SHIM_OPTIONS_H

#include "shim/own.h"

#include <stdint.h>

enum options_python {
    OPTIONS_PYTHON_OFF, /* native frames only; the interpreter's allocators are left alone */
    OPTIONS_PYTHON_ON,
    OPTIONS_PYTHON_LINES, /* no native frames further out than the newest Python frame */
    OPTIONS_PYTHON_EXACT  /* objects born from the interpreter's free lists, too (3.13 and later) */
};

struct options {
    uint32_t depth; /* frames kept of a stack, 1 to TS_DEPTH_MAX */
    uint32_t depth_given;
    uint32_t paused; /* 1: begin without recording */
    uint32_t follow; /* 0: children are not traced */
    uint32_t verify; /* 1: unwind every stack a second time by libunwind and count disagreements */
    uint32_t libunwind; /* 0: do not load libunwind; odd frames are then guessed or end the stack */
    uint32_t verbose;   /* 1: say on stderr why something is not traced */
    uint32_t python;    /* enum options_python */
    uint64_t sample;    /* record one allocation per so many bytes; 0: every one */
    uint64_t keep;      /* bytes of regions of ended processes (region/keep.h); 0: no limit */
    uint32_t keep_days; /* 0: no limit */
    char session[40];   /* the name that the tool gave to this run */
    char text[1024];    /* as read */
};

#define OPTIONS_KEEP_DEFAULT UINT64_MAX /* as region/keep.h says */

SHIM_OWN struct options options;

/* Reads the variable's value; NULL = not set. Prints one line for each thing that it does not
 * understand. */
void options_read(const char *value);

/* One line on stderr, "tracesnap: ...", by a raw write. */
void options_say(const char *cause, const char *subject, const char *fix);

#endif
