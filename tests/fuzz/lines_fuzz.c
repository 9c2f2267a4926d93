/*
 * Fuzz target: a line table of Python of any bytes. Each look-up comes back with a line or none, and
 * says the same when it is asked again.
 *
 *     kind (1 byte), first line (4 bytes), instruction (4 bytes), the table
 */
#include "tests/fuzz/target.h"
#include "tools/symbol/python_lines.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_UPS 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint32_t kind = (uint32_t)input_number(&input, 1) % (TS_LINES_LOCATIONS + 2);
    uint32_t first_line = (uint32_t)input_number(&input, 4);
    uint32_t instruction = (uint32_t)input_number(&input, 4);
    uint8_t *table = malloc(input.left != 0 ? input.left : 1); /* of just this size */
    fuzz_demand(table != NULL, "there is memory");
    memcpy(table, input.at, input.left);
    struct python_lines *lines =
        python_lines_new(kind, table, (uint32_t)input.left, first_line);
    free(table);
    for (uint32_t i = 0; i < LOOK_UPS; i++) {
        uint32_t at = i == 0 ? instruction : i * i;
        uint32_t line = python_lines_find(lines, at);
        fuzz_demand(line <= INT32_MAX, "a line is one, or none");
        fuzz_demand(line == python_lines_find(lines, at), "it is the same each time");
        fuzz_demand(line == 0 || (kind >= TS_LINES_LNOTAB && kind <= TS_LINES_LOCATIONS) ||
                        at > INT32_MAX,
                    "no table, no line");
    }
    python_lines_free(lines);
    return 0;
}
