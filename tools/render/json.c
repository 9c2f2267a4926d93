/*
 * Makes JSON of the parts of a capture. All strings pass through json_text: a path or a command
 * line may hold any bytes, and JSON may not.
 */
#include "tools/render/json.h"

#include "tools/base/printable.h"
#include "tools/render/python.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    char *clean = malloc(strlen(text) * strlen(UTF8_REPLACEMENT) + 1);
    if (!clean)
        return json_null();
    char *end = clean;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        end = length ? mempcpy(end, s, length) : stpcpy(end, UTF8_REPLACEMENT);
        s += length ? length : 1;
    }
    *end = '\0';
    json_t *value = json_string(clean);
    free(clean);
    return value;
}

json_t *json_count(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *json_moment(uint64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm tm;
    char date[40], text[64];
    if (ns == 0 || !gmtime_r(&seconds, &tm))
        return json_null();
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof(text), "%s.%06uZ", date, (unsigned)(ns % 1000000000u / 1000));
    return json_string(text);
}

json_t *json_hex(const uint8_t *bytes, size_t size)
{
    char text[2 * TS_BUILD_ID_MAX + 1];
    if (size == 0 || size > TS_BUILD_ID_MAX)
        return json_null();
    for (size_t i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_string(text);
}

static json_t *json_python(const struct capture *capture)
{
    char version[32];
    json_t *object = json_object();
    format_python_version(version, capture->process.python_version);
    json_object_set_new(object, "state", json_string(python_state(capture)));
    json_object_set_new(object, "version", *version ? json_string(version) : json_null());
    json_object_set_new(object, "reason", json_text(python_reason(capture)));
    return object;
}

json_t *json_process(const struct capture *capture)
{
    const struct capture_process *process = &capture->process;
    json_t *object = json_object();
    json_object_set_new(object, "pid", json_integer(process->pid));
    json_object_set_new(object, "parent_pid", json_integer(process->parent_pid));
    json_object_set_new(object, "uid", json_integer(process->uid));
    json_object_set_new(object, "exe", json_text(process->exe));
    json_object_set_new(object, "cmdline", json_text(process->cmdline));
    json_object_set_new(object, "host", json_text(process->host));
    json_object_set_new(object, "boot_id", json_text(process->boot_id));
    json_object_set_new(object, "session", json_text(process->session));
    json_object_set_new(object, "sequence", json_integer(process->sequence));
    json_object_set_new(object, "forked", json_boolean(process->forked));
    json_object_set_new(object, "start_time", json_moment(process->start_time));
    json_object_set_new(object, "end_time", json_moment(process->end_time));
    json_object_set_new(object, "state", json_text(process->state));
    json_object_set_new(object, "alive", json_boolean(process->alive));
    json_object_set_new(object, "paused", json_boolean(process->paused));
    json_object_set_new(object, "depth", json_integer(process->depth));
    json_object_set_new(object, "sample", json_count(process->sample));
    json_object_set_new(object, "options", json_text(process->options));
    json_object_set_new(object, "rss", json_count(process->rss));
    json_object_set_new(object, "peak_rss", json_count(process->peak_rss));
    json_object_set_new(object, "region_size", json_count(process->region_size));
    json_object_set_new(object, "version", json_text(process->version));
    json_object_set_new(object, "python", json_python(capture));
    return object;
}

void json_set_history(json_t *object, const struct capture_values *values)
{
    json_object_set_new(object, "peak_size", json_count(values->peak_size));
    json_object_set_new(object, "peak_count", json_count(values->peak_count));
    json_object_set_new(object, "allocated_size", json_count(values->allocated_size));
    json_object_set_new(object, "allocated_count", json_count(values->allocated_count));
    json_object_set_new(object, "temporary_count", json_count(values->temporary_count));
}

json_t *json_drops(const struct capture *capture)
{
    json_t *object = json_object();
#define X(name, key, meaning)                                                                      \
    json_object_set_new(object, key, json_count(capture->drops[TS_DROP_##name]));
    TS_DROP_LIST(X)
#undef X
    return object;
}

json_t *json_gauges(const struct capture *capture)
{
    json_t *object = json_object();
#define X(name, key, meaning)                                                                      \
    json_object_set_new(object, key, json_count(capture->gauges[TS_GAUGE_##name]));
    TS_GAUGE_LIST(X)
#undef X
    return object;
}

json_t *json_timeline(const struct capture *capture)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < capture->timeline_count; i++) {
        const struct ts_moment *moment = &capture->timeline[i];
        json_t *point = json_object();
        json_object_set_new(point, "time", json_real((double)moment->time / 1e9));
        json_object_set_new(point, "size", json_count(moment->live_size));
        json_object_set_new(point, "count", json_count(moment->live_count));
        json_object_set_new(point, "rss", moment->rss ? json_count(moment->rss) : json_null());
        json_array_append_new(array, point);
    }
    return array;
}

json_t *json_totals(const struct capture_values *values, size_t contexts)
{
    json_t *object = json_object();
    json_object_set_new(object, "size", json_count(values->allocated_size - values->freed_size));
    json_object_set_new(object, "count", json_count(values->allocated_count - values->freed_count));
    json_object_set_new(object, "peak_size", json_count(values->peak_size));
    json_object_set_new(object, "peak_count", json_count(values->peak_count));
    json_object_set_new(object, "allocated_size", json_count(values->allocated_size));
    json_object_set_new(object, "allocated_count", json_count(values->allocated_count));
    json_object_set_new(object, "freed_size", json_count(values->freed_size));
    json_object_set_new(object, "freed_count", json_count(values->freed_count));
    json_object_set_new(object, "temporary_count", json_count(values->temporary_count));
    json_object_set_new(object, "contexts", json_count(contexts));
    return object;
}

json_t *json_frame(const struct report_frame *frame)
{
    json_t *object = json_object();
    json_object_set_new(object, "function", json_text(frame->function));
    json_object_set_new(object, "file", json_text(frame->file));
    json_object_set_new(object, "line", frame->line ? json_integer(frame->line) : json_null());
    json_object_set_new(object, "object", json_text(frame->object));
    bool in_object = frame->object && frame->kind == KIND_NATIVE;
    json_object_set_new(object, "offset", in_object ? json_count(frame->offset) : json_null());
    json_object_set_new(object, "inlined", json_boolean(frame->inlined));
    json_object_set_new(object, "kind", json_string(frame->kind == KIND_PYTHON ? "python" : "native"));
    return object;
}

void json_set_domain(json_t *object, const struct report_row *row)
{
    bool mixed = row->domain_count > 1;
    const char *domain = mixed ? "mixed" : report_domains[row->domains[0]];
    json_object_set_new(object, "domain", json_string(domain));
    if (!mixed)
        return;
    json_t *shares = json_object();
    for (unsigned i = 0; i < row->domain_count; i++) {
        const struct report_share *share = &row->shares[row->domains[i]];
        json_t *figures = json_object();
        json_object_set_new(figures, "size", json_count(share->size));
        json_object_set_new(figures, "count", json_count(share->count));
        json_object_set_new(figures, "peak_size", json_count(share->peak_size));
        json_object_set_new(figures, "allocated_size", json_count(share->allocated_size));
        json_object_set_new(shares, report_domains[row->domains[i]], figures);
    }
    json_object_set_new(object, "domains", shares);
}

json_t *json_document(const char *schema)
{
    json_t *document = json_object();
    json_object_set_new(document, "schema", json_string(schema));
    return document;
}

void json_print(json_t *document, FILE *out)
{
    json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    fputc('\n', out);
    json_decref(document);
}
