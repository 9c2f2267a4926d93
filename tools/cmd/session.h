/*
 * What a `run` leaves: the regions of its session, sorted into the program that the user started
 * and the others, and saved.
 */
#ifndef TRACESNAP_TOOLS_CMD_SESSION_H
#define TRACESNAP_TOOLS_CMD_SESSION_H

#include "tools/source/source.h"

/* Whether a region is that of a program that runs: not of a dead process, nor replaced by exec. */
bool region_is_current(const struct region_list *list, size_t i);

struct session {
    struct region_list list;
    struct region_entry **entries; /* those of the session; the main program first */
    size_t count;
    bool has_main;
};

/*
 * Finds the regions of a session. The main program is what ran last in process `pid`; other
 * programs that ran in it, and all other processes, follow. 0 or -1 and *error.
 */
int session_load(struct session *session, const char *id, pid_t pid, struct error *error);
void session_free(struct session *session);

/* What was saved while the session ran: one bit for each pid, and how many regions. */
#define SESSION_PIDS (1u << 22) /* Linux has no more */
struct session_saved {
    uint8_t pids[SESSION_PIDS / 8];
    size_t count;
};

/*
 * Saves and removes the regions of those that ended already, but for process `pid`, so that they do
 * not pile up while the session runs. What cannot be saved now stays for session_save, which tells.
 */
void session_collect(const char *id, pid_t pid, const char *pattern, struct session_saved *saved);

/*
 * Saves every region of the session as `pattern` says and removes those whose process is dead. What
 * could not be saved stays. Returns 0, or 2 after errors were printed. *main_path is the main
 * program's file, to be freed. saved: by session_collect before.
 */
int session_save(const struct session *session, const char *pattern,
                 const struct session_saved *saved, char **main_path);

#endif
