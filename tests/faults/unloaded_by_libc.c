/*
 * libc unloads modules of iconv by a way of its own, of which dlclose knows nothing. A library that
 * comes to their addresses has its own name, and is unwound by its own tables. Argument: the
 * library.
 */
#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <iconv.h>
#include <string.h>

static void convert(const char *to)
{
    iconv_t conversion = iconv_open(to, "UTF-8");
    FAULT_TRUE(conversion != (iconv_t)-1);
    FAULT_EQUAL(iconv_close(conversion), 0);
}

/* Whether some mapping of the process has `name` in its path. */
static int is_mapped(const char *name)
{
    static char text[1 << 16];
    FILE *maps = fopen("/proc/self/maps", "r");
    size_t size = fread(text, 1, sizeof text - 1, maps);
    fclose(maps);
    text[size] = '\0';
    return strstr(text, name) != NULL;
}

static void check(const char *library)
{
    struct tracesnap_frame frames[3];
    void *handle = dlopen(library, RTLD_NOW);
    FAULT_TRUE(handle != NULL);
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(handle, "allocate");
    void *block = allocate(1000);
    FAULT_EQUAL(tracesnap_get_object_traceback(block, frames, 3), 3);
    FAULT_EQUAL(strcmp(frames[0].object, library), 0);
    FAULT_TRUE(strstr(frames[1].object, "unloaded_by_libc") != NULL);
    free(block);
}

int main(int argc, char **argv)
{
    static const char *const others[] = {"UTF-32", "UTF-7", "CP1250", "CP1251", "CP1252", "CP1253"};
    convert("UTF-16"); /* allocates in its initialization */
    FAULT_TRUE(is_mapped("UTF-16"));
    for (int i = 0; i < 60 && is_mapped("UTF-16"); i++)
        convert(others[i % 6]);
    if (is_mapped("UTF-16"))
        return 77;
    check(argv[1]);
    return 0;
}
