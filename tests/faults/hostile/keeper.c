/*
 * Keeps 100 blocks of 1000 bytes and gives others back. "wait": says so, and waits for the end of
 * its input; "snapshot FILE": saves a snapshot there, and prints the error if there is one.
 */
#include "tests/faults/fault.h"

#include <errno.h>
#include <string.h>

int main(int count, char **arguments)
{
    static void *volatile kept[100];
    for (int i = 0; i < 100; i++) {
        kept[i] = FAULT_MALLOC(1000);
        free(FAULT_MALLOC(10));
    }
    if (count > 2 && strcmp(arguments[1], "snapshot") == 0 &&
        tracesnap_take_snapshot(arguments[2]) != 0)
        dprintf(1, "%s\n", strerror(errno));
    if (count > 1 && strcmp(arguments[1], "wait") == 0) {
        char byte;
        FAULT_EQUAL(write(1, "ready\n", 6), 6);
        while (read(0, &byte, 1) > 0)
            continue;
    }
    return 0;
}
