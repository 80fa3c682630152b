/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_WAIT_REPORT_H
#define EW_CLI_WAIT_REPORT_H

#include "model/report.h"

struct child;
struct guard;
struct kept_report;
struct options;
struct session;

/*
 * Watches until --until, with a line of progress on standard error, then prints the report of that
 * kind. command is what must have ended first; NULL: nothing. guard: armed; NULL: none. kept: where
 * the report is kept as well; NULL: nowhere. Returns the exit code.
 */
int wait_report(const struct options *options, struct session *session, struct child *command,
		struct guard *guard, enum report_kind kind, struct kept_report *kept);

#endif
