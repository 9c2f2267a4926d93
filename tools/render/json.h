/*
 * The pieces that the JSON documents of tracesnap-json(5) are made of. Every function returns a new
 * reference, as jansson's own constructors do.
 */
#ifndef TRACESNAP_TOOLS_RENDER_JSON_H
#define TRACESNAP_TOOLS_RENDER_JSON_H

#include "tools/base/capture.h"
#include "tools/model/report.h"

#include <jansson.h>
#include <stdio.h>

json_t *json_text(const char *text); /* null for NULL; bytes that are not UTF-8 become U+FFFD */
json_t *json_count(uint64_t value);  /* JSON integers end at 2^63 - 1 */
json_t *json_moment(uint64_t ns);    /* RFC 3339, UTC; null for 0 */
json_t *json_hex(const uint8_t *bytes, size_t size); /* null for none */

json_t *json_process(const struct capture *capture);
/* What a row says of the past: peak, allocated and temporary blocks. */
void json_set_history(json_t *object, const struct capture_values *values);

json_t *json_drops(const struct capture *capture);
json_t *json_gauges(const struct capture *capture);
json_t *json_timeline(const struct capture *capture);
json_t *json_totals(const struct capture_values *values, size_t contexts);
json_t *json_frame(const struct report_frame *frame);

/* Sets "domain", and where the blocks are of several, what each of them holds. */
void json_set_domain(json_t *object, const struct report_row *row);

/* An object that begins with its schema. */
json_t *json_document(const char *schema);

/* Prints a document and frees it. */
void json_print(json_t *document, FILE *out);

#endif
