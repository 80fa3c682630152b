/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The exit code of a report, from what it holds. The decision table is tested row by row:
 *
 *   something is lost or will be                                        2
 *   interrupted, unread, lost events, unknown rows, nobody to judge     3
 *   treatable rows, acts that failed, an agent that was not restarted   1
 *   nothing of these                                                    0
 *
 * The first row that applies: a known loss is never hidden by what is not known.
 */
#ifndef EW_MODEL_EXIT_CODE_H
#define EW_MODEL_EXIT_CODE_H

#include <stdbool.h>

struct exit_facts {
	bool critical;	  /* a row or a finding is critical */
	bool unknown;	  /* a row or a finding is unknown, or sources that decide were not read */
	bool interrupted; /* before all was known */
	bool nobody;	  /* no agent, and no executor of it: there was nothing to judge */
	bool warning;	  /* a row or a finding is a warning */
	bool undone;	  /* an act failed or was refused */
	bool not_restarted; /* `run` was to restart the agent, and no restart was seen */
};

/* 0, 1, 2 or 3. */
int exit_code_of(const struct exit_facts *facts);

#endif
