/*
 * Text from elsewhere made fit for a terminal: names in a region, in an executable or on a command
 * line may hold any bytes, and must neither move the cursor nor change what the terminal does.
 */
#ifndef TRACESNAP_TOOLS_BASE_PRINTABLE_H
#define TRACESNAP_TOOLS_BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes of the UTF-8 character at s (Unicode 15, table 3-7), 0 if there is none. */
size_t utf8_length(const unsigned char *s);

bool is_printable(const char *text);

/* In place, for texts that may be names of files: only control characters, for each byte a '?'. */
void remove_orders(char *text);

/* The most that printable() makes of a text of `length` bytes, with the terminator. */
#define PRINTABLE_ROOM(length) (3 * (length) + 1)

/*
 * Copies `text` to `to`, which has PRINTABLE_ROOM: bytes that are no UTF-8 become U+FFFD, and '?'
 * stands for control characters (C0, DEL, C1) and for those that turn the direction of writing,
 * behind which a name could hide another. Returns `to`.
 */
char *printable(char *to, const char *text);

#endif
