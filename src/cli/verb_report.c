/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/replay.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/verbs.h"

int verb_report(const struct options *options)
{
	if (options->replay)
		return replay_report(options, false, NULL);
	log_message("'report' needs a recording: execwatch report --replay FILE");
	return EXIT_WRONG_USE;
}
