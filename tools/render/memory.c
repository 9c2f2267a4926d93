/*
 * What of a process's resident memory is traced and what is not.
 *
 * malloc and pymalloc take their memory as heap and as anonymous maps; what is there beyond the
 * traced blocks is what they keep free or round up, and what others have mapped. Nothing else of
 * the resident memory was ever malloc's.
 */
#include "tools/render/memory.h"

#include "tools/model/report.h"
#include "tools/render/json.h"

#include <string.h>

static void print_part(const char *name, uint64_t size, const char **separator, FILE *out)
{
    char text[32];
    if (size == 0)
        return;
    fprintf(out, "%s%s %s", *separator, name, format_size(text, (int64_t)size, false));
    *separator = ", ";
}

/* Blocks that were never written to, or are swapped out, are traced and not resident. */
static void print_difference(const struct capture *capture, FILE *out)
{
    char text[32];
    const uint64_t *memory = capture->memory;
    uint64_t room = memory[TS_MEMORY_HEAP] + memory[TS_MEMORY_MAPPED];
    uint64_t live = capture->totals.allocated_size - capture->totals.freed_size;
    if (room >= live)
        fprintf(out, "; heap and mapped are %s more than is traced: free chunks, mapped by others",
                format_size(text, (int64_t)(room - live), false));
    else
        fprintf(out, "; of what is traced at least %s is not resident: not yet used, or swapped",
                format_size(text, (int64_t)(live - room), false));
}

void print_memory(const struct capture *capture, bool explain, FILE *out)
{
    char text[32];
    const uint64_t *memory = capture->memory;
    const char *separator = ": ";
    if (memory[TS_MEMORY_RSS] == 0)
        return;
    fprintf(out, "resident %s", format_size(text, (int64_t)memory[TS_MEMORY_RSS], false));
    print_part("heap", memory[TS_MEMORY_HEAP], &separator, out);
    print_part("mapped", memory[TS_MEMORY_MAPPED], &separator, out);
    print_part("stacks", memory[TS_MEMORY_STACKS], &separator, out);
    print_part("files", memory[TS_MEMORY_FILE] + memory[TS_MEMORY_DATA], &separator, out);
    print_part("shared", memory[TS_MEMORY_SHARED], &separator, out);
    print_part("tracesnap", memory[TS_MEMORY_TRACER_REGION] + memory[TS_MEMORY_TRACER_TABLES],
               &separator, out);
    fputc('\n', out);
    if (!explain)
        return;
    separator = "";
    print_part("PSS", memory[TS_MEMORY_PSS], &separator, out);
    print_part("USS", memory[TS_MEMORY_USS], &separator, out);
    print_part("swapped", memory[TS_MEMORY_SWAP], &separator, out);
    print_part("hugetlb", memory[TS_MEMORY_HUGETLB], &separator, out);
    print_difference(capture, out);
    fputc('\n', out);
}

json_t *json_memory(const struct capture *capture)
{
    if (capture->memory[TS_MEMORY_RSS] == 0)
        return json_null();
    json_t *object = json_object();
#define X(name, key, meaning)                                                                      \
    json_object_set_new(object, key, json_count(capture->memory[TS_MEMORY_##name]));
    TS_MEMORY_LIST(X)
#undef X
    return object;
}
