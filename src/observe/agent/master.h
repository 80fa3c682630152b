/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The master's own word on the agent and on how long it waits for one: FACT_MASTER. */
#ifndef EW_OBSERVE_AGENT_MASTER_H
#define EW_OBSERVE_AGENT_MASTER_H

#include <stdbool.h>

struct fact_sink;

struct master_question {
	const char
		*master; /* an URL, or the agent's flag: "10.0.0.1:5050", "zk://…", "file:///…" */
	bool named;	 /* by --master-url */
	const char *slave_id; /* asked for; "": not known */
	int nsfd;	      /* network namespace to ask from; NETNS_OWN: ours */
};

/*
 * GET /slaves and /flags (Mesos master/http.cpp), from the leader that a redirection names. Waits
 * for 2 s for each answer: call it in a child (bounded_emit.h).
 */
void master_emit(const struct master_question *question, const struct fact_sink *sink);

#endif
