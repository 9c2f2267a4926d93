/*
 * Messages to the user: one line on stderr, "tracesnap: cause 'subject': fix", lower case, no full
 * stop. With --json an error is a JSON object on stderr instead. Nothing else in the tool writes to
 * stderr, but for the progress bar.
 */
#ifndef TRACESNAP_TOOLS_BASE_MESSAGE_H
#define TRACESNAP_TOOLS_BASE_MESSAGE_H

#include <stdbool.h>

/* What failed, to be passed up and printed once, by the command. */
struct error {
    char text[1024];
};

/* Errors and notes as JSON from here on. */
void message_set_json(bool json);

/* Fills *error and returns -1, so that a failing function can `return error_set(...)`. error may be
 * NULL. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints an error; returns 2, the exit status of usage and input errors. */
int message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something that the user should know about a result that is still right ("note: ..."). */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
