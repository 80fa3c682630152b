/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts that an answer of the agent's API holds. */
#ifndef EW_OBSERVE_AGENT_API_ANSWER_H
#define EW_OBSERVE_AGENT_API_ANSWER_H

struct fact_api;
struct fact_sink;
struct mesos_flags;
struct mesos_state;

/* Fills answer in and emits FACT_FLAG of the flags that are compared. answer borrows from flags. */
void api_answer_flags(struct fact_api *answer, const struct mesos_flags *flags,
		      const struct fact_sink *sink);

/*
 * The same of a whole /state, with FACT_API_EXECUTOR and FACT_TASK. answer is to be emitted after
 * them: a reader of FACT_API has all executors of the answer. 0, or -ENOMEM: not all was emitted.
 */
int api_answer_state(struct fact_api *answer, const struct mesos_state *state,
		     const struct fact_sink *sink);

#endif
