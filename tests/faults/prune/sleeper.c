/*
 * A program that closes every descriptor but its standard ones, says its pid as it is outside, and
 * sleeps: only its mapping can hold its region.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    volatile void *block = malloc(1000);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    printf("%p\n", block);
    fflush(stdout);
    pause();
    return 0;
}
