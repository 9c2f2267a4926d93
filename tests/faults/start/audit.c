/* An audit module that looks and does nothing; it is loaded with a libc of its own. */
#include <link.h>
#include <stdlib.h>

unsigned la_version(unsigned version)
{
    free(malloc(100));
    return version;
}
