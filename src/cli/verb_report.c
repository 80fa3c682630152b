/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/replay.h"
#include "cli/exit_codes.h"
#include "cli/kept_report.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "show/format.h"

int verb_report(const struct options *options)
{
	if (options->replay)
		return replay_report(options, false, NULL);
	if (options->format->text || options->format->baseline)
		return kept_report_show(options);
	log_message("'report -f %s' needs a recording: execwatch report --replay FILE; the report "
		    "of a window is kept as table and as json only",
		    options->format->name);
	return EXIT_WRONG_USE;
}
