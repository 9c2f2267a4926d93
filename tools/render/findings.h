/*
 * Findings of doctor: a list that grows, shown as text or as JSON (tracesnap.doctor/1).
 */
#ifndef TRACESNAP_TOOLS_RENDER_FINDINGS_H
#define TRACESNAP_TOOLS_RENDER_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum level {
    LEVEL_OK,
    LEVEL_NOTE,   /* traces are made, but they lack something */
    LEVEL_PROBLEM /* nothing can be traced */
};

struct findings {
    struct finding {
        enum level level;
        const char *check; /* one word */
        char *text;
        char *fix; /* NULL = none needed */
    } * items;
    size_t count, capacity;
};

/* Adds a finding. `fix` may be NULL. */
void findings_add(struct findings *findings, enum level level, const char *check, const char *fix,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
bool findings_have_problem(const struct findings *findings);
void findings_print(const struct findings *findings, const char *program, bool json, bool color,
                    FILE *out);
void findings_release(struct findings *findings);

#endif
