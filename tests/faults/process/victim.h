/*
 * What a program that is going to be killed (victim.c) shares with the one that kills it
 * (kill_check.c): a page that outlives it.
 */
#ifndef TRACESNAP_TESTS_PROCESS_VICTIM_H
#define TRACESNAP_TESTS_PROCESS_VICTIM_H

#include "tests/faults/process/books.h"

struct victim_page {
    struct book books[BOOKS_OWNERS];
    /* Where in the program's file the functions of each owner lie: frames of its blocks. */
    uint64_t from[BOOKS_OWNERS], to[BOOKS_OWNERS];
    uint32_t working; /* pid, once all threads work */
    uint32_t child;   /* pid of the process that works, where that is a child */
};

#endif
