/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What happens, as it happens, one JSON object a line (schema/watch.schema.json): seq, ts, mono_ns,
 * type, and the fields of the fact (base/factjson.h). Two types are the model's: "executor" when an
 * executor is new or judged otherwise than before, and "summary", the last line.
 */
#ifndef EW_SHOW_JSON_WATCH_JSONL_H
#define EW_SHOW_JSON_WATCH_JSONL_H

#include <stdio.h>

#include "facts.h"
#include "model/report.h"

struct watch_jsonl;

/* NULL when there is no memory. out is borrowed. */
struct watch_jsonl *watch_jsonl_new(FILE *out);
void watch_jsonl_free(struct watch_jsonl *lines);

/*
 * Writes a flushed line for each fact that is an event. What a scan finds again and again
 * (sockets, processes, checkpoints) is none; the agent, its API and what could not be read are when
 * they change.
 */
struct fact_sink watch_jsonl_sink(struct watch_jsonl *lines);

/*
 * The line of the next executor that changed. *next counts the executors that were looked at: 0
 * before the first call for a report. There may be thousands of lines, and the reader may take its
 * time: the caller does between two calls what must not wait. Returns 1 for a line, 0 when there is
 * no more, or the negative errno of this or of an earlier line that could not be written: there is
 * nobody to write for then.
 */
int watch_jsonl_report(struct watch_jsonl *lines, const struct report *report, size_t *next);

/* The summary line: the whole document of the report. Returns 0, or a negative errno as above. */
int watch_jsonl_end(struct watch_jsonl *lines, const struct report *report);

#endif
