/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/common.h"
#include "cli/exits.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/verbs.h"

int verb_report(const struct options *options)
{
	if (options->replay)
		return common_replay(options, false, NULL);
	message("'report' needs a recording: execwatch report --replay FILE");
	return EXIT_WRONG_USE;
}
