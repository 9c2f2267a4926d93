/*
 * What reports say of Python.
 */
#include "tools/render/python.h"

#include <string.h>

const char *format_python_version(char *buffer, uint32_t version)
{
    static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc"};
    const char *level = levels[version >> 4 & 15];
    int length = snprintf(buffer, 32, "%u.%u.%u", version >> 24, version >> 16 & 255,
                          version >> 8 & 255);
    if (level)
        snprintf(buffer + length, 32 - (size_t)length, "%s%u", level, version & 15);
    if (version == 0)
        *buffer = '\0';
    return buffer;
}

const char *python_state(const struct capture *capture)
{
    static const char *const states[] = {
#define X(name, key, text) [TS_PYTHON_##name] = key,
        TS_PYTHON_LIST(X)
#undef X
    };
    return states[capture->process.python];
}

const char *python_reason(const struct capture *capture)
{
    static const char *const reasons[] = {
#define X(name, key, text) [TS_PYTHON_##name] = text,
        TS_PYTHON_LIST(X)
#undef X
    };
    const char *reason = reasons[capture->process.python];
    return *reason ? reason : NULL;
}

#define TELLS_BIRTHS_FROM 0x030d0000u /* PyRefTracer_SetTracer */

/* Asked for births from free lists, of an interpreter that does not tell. */
static bool is_inexact(const struct capture_process *process)
{
    return process->python == TS_PYTHON_TRACED && process->python_version < TELLS_BIRTHS_FROM &&
           strstr(process->options, "python=exact") != NULL;
}

void print_python(const struct capture *capture, const char *indent, FILE *out)
{
    char version[32];
    const char *reason = python_reason(capture);
    format_python_version(version, capture->process.python_version);
    if (is_inexact(&capture->process))
        fprintf(out, "%spython=exact has no effect: Python %s does not tell of its free lists\n",
                indent, version);
    if (!reason)
        return;
    fprintf(out, "%sno Python lines: %s%s%s%s\n", indent, reason, *version ? " (Python " : "",
            version, *version ? ")" : "");
}

const char *format_domains(char *buffer, const struct report_row *row)
{
    char *end = buffer;
    for (unsigned i = 0; i < row->domain_count; i++) {
        if (i > 0)
            *end++ = '+';
        end = stpcpy(end, report_domains[row->domains[i]]);
    }
    *end = '\0';
    return buffer;
}
