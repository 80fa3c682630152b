/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With which flags the agent will be started next: from its unit and the files that this names, as
 * they are on disk now. Understood are the agent itself, `env` and shells that run it, the wrapper
 * of Mesosphere's packages (mesos-init-wrapper) with its directories, DC/OS' start_mesos.sh, and
 * docker run as far as its command line goes.
 */
#ifndef EW_OBSERVE_AGENT_NEXT_START_H
#define EW_OBSERVE_AGENT_NEXT_START_H

#include <stddef.h>

struct fact_agent;
struct fact_sink;

/* What the user says of it; all zero: nothing. */
struct next_start_options {
	const char *version;	/* "1.11.0"; NULL: the running one's */
	const char *unit;	/* name, or path of a file; NULL: the agent's own unit */
	const char *const *env; /* files that the environment is read from besides, n_env of them */
	size_t n_env;
	const char *root; /* in front of all paths but those in here; NULL: none */
};

/*
 * Emits FACT_FLAG for the running agent's command line and environment, FACT_NEXT_START, and
 * FACT_FLAG for each flag of the next start that findings compare. unit: of the running agent;
 * NULL: none, then its own command line is taken to be used again. Files may hang: to be called in
 * a child.
 */
void next_start_emit(const struct fact_agent *agent, const char *unit,
		     const struct next_start_options *options, const struct fact_sink *sink);

#endif
