/*
 * Collects and shows what doctor found.
 */
#include "tools/render/findings.h"

#include "tools/base/printable.h"
#include "tools/base/strpool.h"
#include "tools/render/json.h"
#include "tools/render/style.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_words[] = {"ok", "note", "problem"};

void findings_add(struct findings *findings, enum level level, const char *check, const char *fix,
                  const char *format, ...)
{
    va_list arguments;
    findings->items = memory_grow(findings->items, findings->count, &findings->capacity,
                                  sizeof(*findings->items));
    struct finding *finding = &findings->items[findings->count++];
    *finding = (struct finding){.level = level, .check = check, .fix = fix ? strdup(fix) : NULL};
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) >= 0)
        finding->text = printable(memory_resize(NULL, PRINTABLE_ROOM(strlen(text)), 1), text);
    free(text);
    va_end(arguments);
}

bool findings_have_problem(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].level == LEVEL_PROBLEM)
            return true;
    return false;
}

static void print_text(const struct findings *findings, bool color, FILE *out)
{
    static const enum style styles[] = {STYLE_GREEN, STYLE_YELLOW, STYLE_RED};
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        fprintf(out, "%s%-8s%s %-10s %s\n", style(color, styles[finding->level]),
                level_words[finding->level], style(color, STYLE_PLAIN), finding->check,
                finding->text ? finding->text : "");
        if (finding->fix)
            fprintf(out, "                    -> %s\n", finding->fix);
    }
}

static void print_json(const struct findings *findings, const char *program, FILE *out)
{
    json_t *document = json_document("tracesnap.doctor/1");
    json_t *array = json_array();
    json_object_set_new(document, "program", json_text(program));
    json_object_set_new(document, "traceable", json_boolean(!findings_have_problem(findings)));
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *object = json_object();
        json_object_set_new(object, "level", json_string(level_words[finding->level]));
        json_object_set_new(object, "check", json_string(finding->check));
        json_object_set_new(object, "text", json_text(finding->text));
        json_object_set_new(object, "fix", json_text(finding->fix));
        json_array_append_new(array, object);
    }
    json_object_set_new(document, "findings", array);
    json_print(document, out);
}

void findings_print(const struct findings *findings, const char *program, bool json, bool color,
                    FILE *out)
{
    if (json) {
        print_json(findings, program, out);
        return;
    }
    print_text(findings, color, out);
    fprintf(out, "\n%s%s%s can%s be traced\n", style(color, STYLE_BOLD),
            program ? program : "programs", style(color, STYLE_PLAIN),
            findings_have_problem(findings) ? "not" : "");
}

void findings_release(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].text);
        free(findings->items[i].fix);
    }
    free(findings->items);
    *findings = (struct findings){0};
}
