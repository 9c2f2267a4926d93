/* Allocates, prints its own count, and stays until its input ends. */
#include "tests/faults/limits/work.h"

int main(void)
{
    char end;
    work_stacks(8);
    work_print("-");
    while (read(0, &end, 1) > 0)
        continue;
    return 0;
}
