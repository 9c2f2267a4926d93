/*
 * Sizes as tracemalloc prints them.
 */
#include "tools/model/report.h"

#include <stdio.h>

#define BUFFER 32

const char *format_size(char *buffer, int64_t size, bool with_sign)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    const size_t last = sizeof(units) / sizeof(units[0]) - 1;
    double value = (double)size;
    for (size_t i = 0;; i++, value /= 1024) {
        double magnitude = value < 0 ? -value : value;
        int digits = magnitude < 100 && i > 0 ? 1 : 0;
        if (digits == 0 && magnitude >= 10 * 1024 && i < last)
            continue;
        snprintf(buffer, BUFFER, with_sign ? "%+.*f %s" : "%.*f %s", digits, value, units[i]);
        return buffer;
    }
}
