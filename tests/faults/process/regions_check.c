/*
 * Compares the regions that a program and its children left with the records that each of them
 * made at its end (records.h): live bytes, to the last one. Says which drops there were. Whatever
 * is right goes away.
 *
 *     regions_check DIRECTORY RECORDS
 */
#include "tests/faults/process/records.h"

#include "tools/source/reader.h"
#include "tools/source/source.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const drop_names[] = {
#define X(name, key, meaning) key,
    TS_DROP_LIST(X)
#undef X
};

static const struct record *find(uint32_t pid)
{
    for (uint32_t i = 0; i < records->count; i++)
        if (records->record[i].pid == pid)
            return &records->record[i];
    return NULL;
}

/* 0, or 1 where something is wrong. */
static int check(const char *path, const char *name, uint64_t drops[TS_DROP_COUNT])
{
    struct region_name parsed;
    struct error error = {""};
    if (!region_name_parse(name, &parsed)) {
        fprintf(stderr, "%s: not the name of a region\n", path);
        return 1;
    }
    const struct record *record = find(parsed.pid);
    struct capture *capture = source_open(path, &error);
    if (capture == NULL || record == NULL) {
        fprintf(stderr, "%s: %s\n", path, capture == NULL ? error.text : "its process left no record");
        capture_free(capture);
        return 1;
    }
    const struct capture_values *totals = &capture->totals;
    uint64_t live = totals->allocated_size - totals->freed_size;
    bool ended = strcmp(capture->process.state, "running") != 0;
    for (unsigned i = 0; i < TS_DROP_COUNT; i++)
        drops[i] += capture->drops[i];
    capture_free(capture);
    if (live == record->live && ended) {
        unlink(path);
        return 0;
    }
    fprintf(stderr, "%s: %" PRIu64 " bytes live, expected %" PRIu64 "%s\n", path, live, record->live,
           ended ? "" : "; said to be running");
    return 1;
}

int main(int argc, char **argv)
{
    uint64_t drops[TS_DROP_COUNT] = {0};
    unsigned wrong = 0, seen = 0;
    char path[PATH_MAX];
    DIR *listing = argc == 3 ? opendir(argv[1]) : NULL;
    if (listing == NULL || records_open(argv[2]) == NULL || records->count > RECORDS_MAX)
        return 2;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        wrong += (unsigned)check(path, entry->d_name, drops);
        seen++;
    }
    closedir(listing);
    printf("%u processes, %u regions, %u wrong\n", records->count, seen, wrong);
    for (unsigned i = 0; i < TS_DROP_COUNT; i++)
        if (drops[i] != 0)
            printf("drops %s %" PRIu64 "\n", drop_names[i], drops[i]);
    return wrong == 0 && seen == records->count ? 0 : 1;
}
