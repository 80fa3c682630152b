/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of summary.h, by what a report is about. For summary*.c alone. */
#ifndef EW_SHOW_SUMMARY_PARTS_H
#define EW_SHOW_SUMMARY_PARTS_H

#include <stdio.h>

#include "model/report.h"

static inline const char *are(size_t n)
{
	return n == 1 ? "is" : "are";
}

static inline const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Of a report without executors. */
void summary_none(FILE *out, const struct report *report);
/* Executors that are shutting down now; nothing if there are none. */
void summary_ending(FILE *out, const struct report *report);
void summary_audit(FILE *out, const struct report *report);
void summary_shutdown(FILE *out, const struct report *report);
void summary_protect(FILE *out, const struct report *report);
void summary_hold(FILE *out, const struct report *report);
/* Of run and guard with --dry-run: nothing has become of anybody. */
void summary_dry_run(FILE *out, const struct report *report);
void summary_outcomes(FILE *out, const struct report *report);
/* What ended during a watch, before the audit of those that live. */
void summary_watch(FILE *out, const struct report *report);

#endif
