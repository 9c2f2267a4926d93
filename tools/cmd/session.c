/*
 * Finds, saves and removes the regions of one session.
 */
#include "tools/cmd/session.h"

#include "tools/base/strpool.h"
#include "tools/cmd/output_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool region_is_current(const struct region_list *list, size_t i)
{
    const struct region_entry *entry = &list->entries[i];
    for (size_t k = i + 1; k < list->count && list->entries[k].pid == entry->pid; k++)
        if (list->entries[k].start_ticks == entry->start_ticks)
            return false;
    return entry->alive;
}

int session_load(struct session *session, const char *id, pid_t pid, struct error *error)
{
    *session = (struct session){0};
    if (region_list_load(&session->list, geteuid() == 0, error) != 0)
        return -1;
    session->entries = memory_resize(NULL, session->list.count + 1, sizeof(*session->entries));
    size_t best = 0;
    for (size_t i = 0; i < session->list.count; i++) {
        struct region_entry *entry = &session->list.entries[i];
        if (strcmp(entry->session, id) != 0)
            continue;
        /* The list is in order of sequence: the last region of the process is the main program's.
         */
        if (entry->pid == (uint32_t)pid) {
            best = session->count;
            session->has_main = true;
        }
        session->entries[session->count++] = entry;
    }
    if (session->has_main) {
        struct region_entry *program = session->entries[best];
        memmove(session->entries + 1, session->entries, best * sizeof(*session->entries));
        session->entries[0] = program;
    }
    return 0;
}

void session_free(struct session *session)
{
    free(session->entries);
    region_list_free(&session->list);
}

static bool was_saved(const struct session_saved *saved, uint32_t pid)
{
    return pid < SESSION_PIDS && (saved->pids[pid / 8] >> pid % 8 & 1) != 0;
}

static void set_saved(struct session_saved *saved, uint32_t pid)
{
    if (pid < SESSION_PIDS)
        saved->pids[pid / 8] |= (uint8_t)(1 << pid % 8);
}

/*
 * Not while the process runs, though it exec'ed another program: all its programs' regions are
 * named together.
 */
static bool is_collectable(const struct session *session, size_t i, pid_t pid)
{
    const struct region_entry *entry = session->entries[i];
    for (size_t k = 0; k < session->count; k++)
        if (session->entries[k]->pid == entry->pid &&
            session->entries[k]->start_ticks == entry->start_ticks && session->entries[k]->running)
            return false;
    return entry->pid != (uint32_t)pid;
}

/*
 * PID; PID-SEQUENCE for a program that another one replaced; with the start time where a pid came
 * twice.
 */
static void make_label(const struct session *session, const struct region_entry *entry,
                       const struct session_saved *saved, char *label, size_t size)
{
    bool replaced = false, reused = was_saved(saved, entry->pid);
    for (size_t i = 0; i < session->count; i++) {
        const struct region_entry *other = session->entries[i];
        if (other->pid != entry->pid)
            continue;
        replaced |= other->start_ticks == entry->start_ticks && other->sequence > entry->sequence;
        reused |= other->start_ticks > entry->start_ticks;
    }
    int length = snprintf(label, size, "%u", entry->pid);
    if (reused)
        length += snprintf(label + length, size - (size_t)length, "-at-%llu",
                           (unsigned long long)entry->start_ticks);
    if (replaced)
        snprintf(label + length, size - (size_t)length, "-%u", entry->sequence);
}

static int save_region(const struct region_entry *entry, const char *path, struct error *error)
{
    struct capture *capture = source_open(entry->path, error);
    int status = capture ? snapshot_write(capture, path, error) : -1;
    capture_free(capture);
    if (status == 0 && !entry->alive)
        unlink(entry->path);
    return status;
}

void session_collect(const char *id, pid_t pid, const char *pattern, struct session_saved *saved)
{
    struct session session;
    char label[80];
    if (session_load(&session, id, pid, NULL) != 0)
        return;
    for (size_t i = 0; i < session.count; i++) {
        const struct region_entry *entry = session.entries[i];
        if (!is_collectable(&session, i, pid))
            continue;
        make_label(&session, entry, saved, label, sizeof(label));
        char *path = output_path_of_child(pattern, label);
        saved->count += save_region(entry, path, NULL) == 0;
        free(path);
    }
    /* Only now: the programs of one process share its pid. */
    for (size_t i = 0; i < session.count; i++)
        if (is_collectable(&session, i, pid))
            set_saved(saved, session.entries[i]->pid);
    session_free(&session);
}

int session_save(const struct session *session, const char *pattern,
                 const struct session_saved *saved, char **main_path)
{
    int status = 0;
    *main_path = NULL;
    for (size_t i = 0; i < session->count; i++) {
        const struct region_entry *entry = session->entries[i];
        bool is_main = i == 0 && session->has_main;
        struct error error = {""};
        char label[80];
        make_label(session, entry, saved, label, sizeof(label));
        char *path = is_main ? output_path(pattern, label) : output_path_of_child(pattern, label);
        if (save_region(entry, path, &error) != 0)
            status = message_error("%s (the region stays: '%s')", error.text, entry->path);
        else if (is_main) {
            *main_path = path;
            continue;
        }
        free(path);
    }
    return status;
}
