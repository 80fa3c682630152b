/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/verbs.h"

#include "cli/options.h"

const struct verb verbs[] = {
	{ "doctor", "can this host be watched and acted on? what is missing, and its cure", false,
	  false, false, verb_doctor },
	{ "audit", "read-only: a verdict for each executor, before a restart", false, false, false,
	  verb_audit },
	{ "shutdown", "make executors notice that their link to the agent is dead", false, true,
	  true, verb_shutdown },
	{ "watch", "live: connections, life cycles, protocol messages", false, false, true,
	  verb_watch },
	{ "verify", "after a restart: is every executor registered again and alive?", false, false,
	  true, verb_verify },
	{ "run", "the whole window: audit, shutdown, CMD (the restart), watch, verify", true, true,
	  true, verb_run },
	{ "report", "what a recording shows", false, false, false, verb_report },
	{ 0 },
};
