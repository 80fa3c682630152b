/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/verbs.h"

#include "cli/options.h"

const struct verb verbs[] = {
	{ "audit", "read-only: a verdict for each executor, before a restart", false, false, verb_audit },
	{ "shutdown", "make executors notice that their link to the agent is dead", false, true, verb_shutdown },
	{ "verify", "after a restart: is every executor registered again and alive?", false, false, verb_verify },
	{ "run", "the whole window: audit, shutdown, CMD (the restart), watch, verify", true, true, verb_run },
	{ "report", "what a recording shows", false, false, verb_report },
	{ 0 },
};
