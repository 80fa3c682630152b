/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A report for people: the summary first, then what was done, the executors (worst first) and what
 * to do next. No line is wider than asked for.
 */
#ifndef EW_SHOW_TABLE_TABLE_H
#define EW_SHOW_TABLE_TABLE_H

#include <stdio.h>

#include "model/report.h"
#include "show/layout.h"

/* Returns 0 or a negative errno, of a full disk or a closed pipe as well. */
int table_write(FILE *out, const struct report *report, const struct layout *layout);

#endif
