/*
 * Colours and the figures that model/ does not format itself.
 */
#include "tools/render/style.h"

#include "region/layout.h"
#include "tools/base/printable.h"
#include "tools/model/report.h"

#include <string.h>
#include <time.h>

const char *style(bool color, enum style which)
{
    static const char *const sequences[] = {
        [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",     [STYLE_RED] = "\033[31m",
        [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m", [STYLE_PLAIN] = "\033[0m",
    };
    return color ? sequences[which] : "";
}

const char *format_count(char *buffer, uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    char *end = buffer;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return buffer;
}

const char *format_duration(char *buffer, uint64_t ns)
{
    unsigned long long seconds = ns / 1000000000u;
    if (seconds < 1)
        snprintf(buffer, 32, "%llu ms", (unsigned long long)(ns / 1000000u));
    else if (seconds < 60)
        snprintf(buffer, 32, "%.1f s", (double)(ns / 100000000u) / 10);
    else if (seconds < 3600)
        snprintf(buffer, 32, "%llu min %llu s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        snprintf(buffer, 32, "%llu h %llu min", seconds / 3600, seconds % 3600 / 60);
    else
        snprintf(buffer, 32, "%llu d %llu h", seconds / 86400, seconds % 86400 / 3600);
    return buffer;
}

const char *format_time(char *buffer, uint64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm tm;
    if (!localtime_r(&seconds, &tm) || strftime(buffer, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        strcpy(buffer, "?");
    return buffer;
}

/* format_size of the model takes whole bytes; tracemalloc's average is a fraction, rounded when
 * printed. */
const char *format_average(char *buffer, uint64_t size, uint64_t count)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double average = (double)size / (double)count;
    size_t unit = 0;
    while (average >= 10240 && unit < 4) {
        average /= 1024;
        unit++;
    }
    snprintf(buffer, 32, average < 100 && unit > 0 ? "%.1f %s" : "%.0f %s", average, units[unit]);
    return buffer;
}

const char *format_command(char *buffer, const struct capture_process *process)
{
    const char *text = *process->cmdline ? process->cmdline : process->exe;
    char clean[PRINTABLE_ROOM(TS_STRING_MAX)];
    const char *from = strlen(text) <= TS_STRING_MAX ? printable(clean, text) : "?";
    size_t length = 0;
    for (; *from != '\0' && length < COMMAND_TEXT - 4; from++)
        if (*from != ' ' || (from[1] != ' ' && from[1] != '\0'))
            buffer[length++] = *from;
    if (*from != '\0') { /* not in the middle of a character (UTF-8) */
        while (length > 0 && (buffer[length - 1] & 0xc0) == 0x80)
            length--;
        if (length > 0 && (buffer[length - 1] & 0x80))
            length--;
    }
    strcpy(buffer + length, *from != '\0' ? "..." : "");
    return buffer;
}

void print_estimate(const struct capture *capture, const char *indent, FILE *out)
{
    char gap[32];
    if (capture->process.sample)
        fprintf(out, "%sestimated from one sample per %s\n", indent,
                format_size(gap, (int64_t)capture->process.sample, false));
}

void print_drops(const struct capture *capture, const char *indent, bool color, FILE *out)
{
    char count[32];
#define X(name, key, meaning)                                                                      \
    if (capture->drops[TS_DROP_##name])                                                            \
        fprintf(out, "%s%sdropped %s%s %s\n", indent, style(color, STYLE_YELLOW),                  \
                format_count(count, capture->drops[TS_DROP_##name]), style(color, STYLE_PLAIN),    \
                meaning);
    TS_DROP_LIST(X)
#undef X
}
