/* Says "up", and waits for the end of its input: for programs that cannot be traced. */
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    char byte;
    void *volatile block = malloc(1000);
    if (write(1, "up\n", 3) != 3)
        return 1;
    while (read(0, &byte, 1) > 0)
        continue;
    free(block);
    return 0;
}
