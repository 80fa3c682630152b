/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "show/format.h"
#include "show/textbuf.h"
#include "show/table/table_plan.h"

int output_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return 80;
}

static bool output_colour(const struct options *options)
{
	const char *no_colour = getenv("NO_COLOR");

	if (options->colour != COLOUR_AUTO)
		return options->colour == COLOUR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

struct layout output_layout(const struct options *options)
{
	return (struct layout){ .width = output_width(),
				.color = output_colour(options),
				.verbose = options->verbose };
}

static int written(int err, int exit_code)
{
	if (!err)
		return exit_code;
	log_message("write the report to standard output: %s; the report is not complete",
		    strerror(-err));
	return EXIT_UNKNOWN;
}

int output_document(const char *document, size_t len, int exit_code)
{
	return written(textbuf_write(stdout, document, len), exit_code);
}

int output_report(const struct options *options, const struct report *report)
{
	struct layout table = output_layout(options);
	int err;

	if (!report) {
		log_message("make the report: out of memory; what was seen is in the recording, if "
			    "there is one");
		return EXIT_UNKNOWN;
	}
	err = options->format->report(stdout, report, &table);
	if (!err && options->reported)
		*options->reported = true;
	return written(err, report->exit_code);
}

static int plan_written(int err)
{
	if (!err)
		return 0;
	log_message("write the plan: %s; nothing was done", strerror(-err));
	return EXIT_UNKNOWN;
}

static FILE *plan_stream(const struct options *options)
{
	return options->format->text ? stdout : stderr;
}

int output_plan(const struct options *options, const struct model_target *targets, size_t n,
		bool guarded)
{
	struct layout table = output_layout(options);

	return plan_written(table_plan_write(plan_stream(options), targets, n, guarded, &table));
}

int output_protections(const struct options *options, const struct model_protection *links,
		       size_t n)
{
	struct layout table = output_layout(options);

	return plan_written(
		table_protections_write(plan_stream(options), links, n, options->undo, &table));
}

int output_holds(const struct options *options, const struct model_hold *holds, size_t n)
{
	struct layout table = output_layout(options);

	return plan_written(table_holds_write(plan_stream(options), holds, n, &table));
}
