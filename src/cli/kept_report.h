/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A window outlives its terminal: its report is kept in the state directory, as
 * run-TIME-PORT.json (the document of -f json) and run-TIME-PORT.txt (as on a terminal). TIME is
 * the begin of the window, in UTC. Once the terminal is gone, messages and the summary go to the
 * system's log as well.
 */
#ifndef EW_CLI_KEPT_REPORT_H
#define EW_CLI_KEPT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct options;
struct report;

struct kept_report {
	const struct options *options;
	char name[64];	      /* without its ending */
	bool hung_up;	      /* the terminal is gone */
	const pid_t *command; /* the process of the window's command; NULL or 0: none runs */
};

/* Names the files. Over ssh, tells what becomes of the window if the connection is lost; a dry run
 * has none. */
void kept_report_begin(struct kept_report *kept, const struct options *options);

/* The terminal is gone: tells the system's log what goes on. ctx is a struct kept_report. */
void kept_report_hung_up(void *ctx);

/* Saves the report, then writes it to standard output. Returns the exit code. */
int kept_report_end(struct kept_report *kept, const struct report *report);

/* Writes the newest kept report of a port to standard output. Returns its exit code. */
int kept_report_show(const struct options *options);

#endif
