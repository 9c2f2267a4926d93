/*
 * What a Python interpreter says of itself: its collector, its arenas, and how long ago that was.
 */
#include "tools/render/interpreter.h"

#include "tools/model/report.h"
#include "tools/render/json.h"
#include "tools/render/python.h"
#include "tools/render/style.h"

#define SECOND UINT64_C(1000000000)
#define ARENA_BLOCK_MAX 512u /* bytes; pymalloc asks malloc for more */

/* Arenas that nobody counted may have been freed; more than there were is not known either. */
static uint64_t arenas_of(const struct capture *capture)
{
    uint64_t arenas = capture->process.interpreter.arena_bytes;
    return arenas <= INT64_MAX ? arenas : 0;
}

static bool is_known(const struct capture *capture)
{
    return capture->process.python_version != 0 &&
           (capture->process.interpreter.gc_known || arenas_of(capture) != 0);
}

/* When the collector's state was copied, ns since 1970; 0 = not known. */
static uint64_t seen_at(const struct capture *capture)
{
    const struct capture_process *process = &capture->process;
    uint64_t time = process->interpreter.time, then;
    bool known = time != 0 && process->start_time != 0 &&
                 !__builtin_add_overflow(process->start_time, time, &then);
    return known ? then : 0;
}

/* Of an ended process it is as old as it was when that ended. */
static void print_age(const struct capture *capture, FILE *out)
{
    char text[32];
    const struct capture_process *process = &capture->process;
    uint64_t now = process->alive ? process->taken_at : process->end_time, then = seen_at(capture);
    if (then != 0 && now > then && now - then >= SECOND)
        fprintf(out, " (%s before)", format_duration(text, now - then));
}

static void print_gc(const struct capture *capture, FILE *out)
{
    char text[3][32];
    const struct ts_interpreter *state = &capture->process.interpreter;
    uint64_t uncollectable = 0;
    fprintf(out, " gc %s; collections ", state->gc_enabled ? "enabled" : "disabled");
    for (unsigned i = 0; i < TS_GC_GENERATIONS; i++) {
        fprintf(out, "%s%s", i > 0 ? "/" : "",
                format_count(text[i], state->generations[i].collections));
        uncollectable += state->generations[i].uncollectable;
    }
    for (unsigned i = 0; i < TS_GC_GENERATIONS; i++)
        fprintf(out, "%s%s", i > 0 ? "/" : ", collected ",
                format_count(text[i], state->generations[i].collected));
    if (uncollectable != 0)
        fprintf(out, ", uncollectable %s", format_count(text[0], uncollectable));
    print_age(capture, out);
}

/*
 * Blocks of the domains mem and obj lie in the arenas if they have up to 512 bytes. Blocks of one
 * context mostly are of a size, so their average tells, though not for sure.
 */
static uint64_t traced_in_arenas(const struct capture *capture)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < capture->context_count; i++) {
        const struct capture_context *context = &capture->contexts[i];
        uint64_t size = context->values.allocated_size - context->values.freed_size;
        uint64_t count = context->values.allocated_count - context->values.freed_count;
        bool small = count != 0 && size / count <= ARENA_BLOCK_MAX;
        if (small && (context->domain == TS_DOMAIN_MEM || context->domain == TS_DOMAIN_OBJ))
            sum += size;
    }
    return sum;
}

static void print_arenas(const struct capture *capture, FILE *out)
{
    char text[32];
    uint64_t arenas = arenas_of(capture), traced = traced_in_arenas(capture);
    if (arenas == 0)
        return;
    fprintf(out, "%s pymalloc's arenas %s", capture->process.interpreter.gc_known ? ";" : "",
            format_size(text, (int64_t)arenas, false));
    if (arenas > traced)
        fprintf(out, ", about %s of it in no traced block",
                format_size(text, (int64_t)(arenas - traced), false));
}

void print_interpreter(const struct capture *capture, FILE *out)
{
    char text[32];
    if (!is_known(capture))
        return;
    fprintf(out, "Python %s:", format_python_version(text, capture->process.python_version));
    if (capture->process.interpreter.gc_known)
        print_gc(capture, out);
    print_arenas(capture, out);
    fputc('\n', out);
}

static json_t *json_gc(const struct ts_interpreter *state)
{
    json_t *object = json_object(), *generations = json_array();
    if (!state->gc_known) {
        json_decref(object);
        json_decref(generations);
        return json_null();
    }
    for (unsigned i = 0; i < TS_GC_GENERATIONS; i++) {
        json_t *generation = json_object();
#define NUMBER(key)                                                                                \
    json_object_set_new(generation, #key, json_integer((json_int_t)state->generations[i].key))
        NUMBER(threshold);
        NUMBER(count);
        NUMBER(collections);
        NUMBER(collected);
        NUMBER(uncollectable);
#undef NUMBER
        json_array_append_new(generations, generation);
    }
    json_object_set_new(object, "enabled", json_boolean(state->gc_enabled));
    json_object_set_new(object, "generations", generations);
    return object;
}

json_t *json_interpreter(const struct capture *capture)
{
    char text[32];
    const struct ts_interpreter *state = &capture->process.interpreter;
    if (!is_known(capture))
        return json_null();
    json_t *object = json_object();
    format_python_version(text, capture->process.python_version);
    json_object_set_new(object, "version", json_string(text));
    json_object_set_new(object, "seen_at", json_moment(seen_at(capture)));
    json_object_set_new(object, "gc", json_gc(state));
    json_object_set_new(object, "arena_bytes",
                        arenas_of(capture) ? json_count(arenas_of(capture)) : json_null());
    return object;
}
