/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of output formats. A new format is one row of it: option parsing, --help, the verbs and
 * the tests read the table.
 */
#ifndef EW_SHOW_FORMAT_H
#define EW_SHOW_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/report.h"
#include "show/doctor.h"
#include "show/layout.h"

/* How `watch` shows events in a format. */
enum format_events {
	EVENTS_NONE = 0, /* it cannot */
	EVENTS_LINES,	 /* show/json/watch_jsonl.h */
	EVENTS_SCREEN,	 /* show/screen/watch_screen.h on a terminal, else lines */
};

/* Writes all of it to out and flushes. Returns 0 or a negative errno, of a closed pipe as well. */
typedef int format_report_fn(FILE *out, const struct report *report, const struct layout *layout);
typedef int format_checkup_fn(FILE *out, const struct checkup *checkup,
			      const struct layout *layout);

struct formatter {
	const char *name;
	const char *summary; /* one line of help */
	bool text;	     /* for people: more than one report may follow another, and plans */
	bool baseline;	     /* its report is json_report_text(), the bytes of a baseline */
	bool plugin; /* for a monitoring system: every end is one line and a code from 0 to 3 */
	enum format_events events;
	/* NULL: the verbs that would call it refuse the format. */
	format_report_fn *report;
	format_checkup_fn *checkup; /* of doctor */
};

/* Ended by one without a name. The first is the default. */
extern const struct formatter formatters[];

/* NULL when there is none of that name. */
const struct formatter *formatter_find(const char *name);

#endif
