/*
 * Messages to the user, as text or as JSON: the only place that writes errors and notes to stderr.
 */
#include "tools/base/message.h"

#include "tools/base/printable.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool json_messages;

void message_set_json(bool json)
{
    json_messages = json;
}

static void print_json(const char *kind, const char *text)
{
    char schema[64];
    snprintf(schema, sizeof(schema), "tracesnap.%s/1", kind);
    json_t *object = json_object();
    json_object_set_new(object, "schema", json_string(schema));
    json_object_set_new(object, kind, json_string(text));
    char *line = json_dumps(object, JSON_COMPACT);
    fprintf(stderr, "%s\n", line != NULL ? line : "{}");
    free(line);
    json_decref(object);
}

int error_set(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return -1;
}

static void print(const char *kind, const char *format, va_list arguments)
{
    char raw[2048], text[PRINTABLE_ROOM(sizeof(raw))];
    vsnprintf(raw, sizeof(raw), format, arguments);
    printable(text, raw); /* one line, whatever a file is called */
    if (json_messages)
        print_json(kind, text);
    else
        fprintf(stderr, "tracesnap: %s%s\n", strcmp(kind, "note") == 0 ? "note: " : "", text);
}

int message_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print("error", format, arguments);
    va_end(arguments);
    return 2;
}

void message_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print("note", format, arguments);
    va_end(arguments);
}
