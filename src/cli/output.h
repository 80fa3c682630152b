/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A report on standard output, in the format that was asked for. */
#ifndef EW_CLI_OUTPUT_H
#define EW_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "show/layout.h"

struct model_target;
struct options;
struct model_hold;
struct model_protection;
struct report;

/*
 * Returns the report's exit code; EXIT_UNKNOWN, after a log_message, when it could not be written
 * (a full disk, a closed pipe) or report is NULL (no memory).
 */
int output_report(const struct options *options, const struct report *report);

/* The same for -f json, of a document that is made already. */
int output_document(const char *document, size_t len, int exit_code);

/*
 * What an acting verb would do, for people: on standard output, or on standard error when that is
 * for a machine. guarded: see table_plan_write(). Returns 0, or EXIT_UNKNOWN, after a log_message,
 * when it could not be written.
 */
int output_plan(const struct options *options, const struct model_target *targets, size_t n,
		bool guarded);
/* The same of links that keepalive would be set on. */
int output_protections(const struct options *options, const struct model_protection *links,
		       size_t n);
/* The same of executors whose clocks would be stopped. */
int output_holds(const struct options *options, const struct model_hold *holds, size_t n);

/* Columns of the terminal, 80 without one. */
int output_width(void);
/* The same with colours and verbosity as asked for. */
struct layout output_layout(const struct options *options);

#endif
