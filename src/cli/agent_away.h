/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Since when no agent listens, remembered in the state directory: an agent whose end nobody saw had
 * ended by the first time that an execwatch found none, whenever verify runs.
 */
#ifndef EW_CLI_AGENT_AWAY_H
#define EW_CLI_AGENT_AWAY_H

struct options;
struct report;
struct session;

/*
 * Emits FACT_AGENT_AWAY where an execwatch has found no agent since the one of the baseline, or
 * this one finds none. report: of verify. A state directory that cannot be read or written is
 * passed over: what is known then is only what this run sees.
 */
void agent_away_emit(const struct options *options, struct session *session,
		     const struct report *report);

#endif
