/*
 * Names for the places in asm.S that call malloc, as walk.py makes them of what the tracer
 * recorded.
 */
#include "worker.h"

#include <stdio.h>

extern char __executable_start[];
static char names[SITES][32];

void sites_start(void)
{
    for (int i = 0; i < SITES; i++)
        snprintf(names[i], sizeof names[i], "call_sites+%lx",
                 (unsigned long)(call_site_return - 1 - __executable_start) -
                     SITE_STEP * (unsigned long)(SITES - 1 - i));
}

const char *site_name(int site)
{
    return names[site];
}
