/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose an executor is. The agent's id decides (API, meta/slaves/latest), then its address: the one
 * that an agent advertises need not be the one that it listens on (LIBPROCESS_ADVERTISE_IP, Mesos
 * 3rdparty/libprocess/src/process.cpp).
 */
#ifndef EW_MODEL_JUDGE_IDENTITY_H
#define EW_MODEL_JUDGE_IDENTITY_H

#include "model/judge/executor.h"

enum whose {
	WHOSE_UNKNOWN = 0,
	WHOSE_OURS,
	WHOSE_FORMER,  /* of an agent id that nobody will recover here */
	WHOSE_FOREIGN, /* known to be another agent's */
};

enum whose identity_of(const struct store *store, const struct executor *executor);

/*
 * The id of the agent that serves here, or will when it starts; "" where nothing tells, or sources
 * contradict each other. The store's.
 */
const char *identity_agent_id(const struct store *store);

/* The executor's agent id: the tree that its checkpoints are in tells, else its environment. */
const char *identity_executor_agent(const struct executor *executor);

/*
 * An executor of that agent id will not be taken back by the agent that serves: it has another id.
 * False as well where either is not known.
 */
bool identity_is_given_up(const struct store *store, const char *slave_id);

/*
 * Why it cannot be told which agent is meant, or what it knows: a sentence of the arena's; NULL:
 * the sources agree.
 */
const char *identity_contradiction(const struct store *store, struct arena *arena);

/* The agent's API has answered with a list that leaves nobody out. */
bool identity_listing_counts(const struct store *store);

/* The same for one executor: the lists that know it disagree. */
const char *identity_lists_disagree(const struct store *store, const struct executor *executor,
				    struct arena *arena);

#endif
