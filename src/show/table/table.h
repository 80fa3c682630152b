/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A report for people: the answer first, then what was done, the executors (worst first) and what
 * to do next. No line is wider than asked for.
 */
#ifndef EW_SHOW_TABLE_TABLE_H
#define EW_SHOW_TABLE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "model/model.h"
#include "model/report.h"

struct table_options {
	int width; /* columns; less than 72 is taken as 72 */
	bool color;
	bool verbose; /* every executor, with the evidence */
};

/* Returns 0 or a negative errno, of a full disk or a closed pipe as well. */
int table_write(FILE *out, const struct report *report, const struct table_options *options);

/* What an acting verb would do: for --dry-run, and before it asks. */
int table_plan_write(FILE *out, const struct model_target *targets, size_t n,
		     const struct table_options *options);

#endif
