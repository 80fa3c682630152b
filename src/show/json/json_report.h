/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A report as a JSON document, schema/audit.schema.json and its siblings. The same report always
 * gives the same bytes. What is not known is null. Texts and great numbers are as base/jsonval.h
 * says.
 */
#ifndef EW_SHOW_JSON_JSON_REPORT_H
#define EW_SHOW_JSON_JSON_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "model/report.h"

/* Enough for milliseconds of three centuries, too few to show that 0.1 has no exact double. */
#define JSON_REAL_DIGITS 13

/* One executor as in executors[]: a new object, or NULL. */
json_t *json_executor(const struct report *report, const struct report_executor *executor);

/* What was done, as in acts[]: a new array, or NULL. */
json_t *json_acts(const struct report *report);

/*
 * For -f json and for the baseline: indented, with a final newline, to be freed with free(); NULL
 * when there is no memory.
 */
char *json_report_text(const struct report *report, size_t *len);

/* Writes and flushes it. Returns 0 or a negative errno, of a full disk or a closed pipe as well. */
int json_report_write(FILE *out, const struct report *report);

/*
 * For -f jsonl: the same as one line, written as it is made; the members of front, which it takes
 * over, come first (NULL: none). With -ENOMEM a part of it may have been written.
 */
int json_report_line_write(FILE *out, json_t *front, const struct report *report);

#endif
