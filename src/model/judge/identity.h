/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which agent an executor belongs to. The agent's id decides (API, meta/slaves/latest), then its
 * address: the one that an agent advertises need not be the one that it listens on
 * (LIBPROCESS_ADVERTISE_IP, Mesos 3rdparty/libprocess/src/process.cpp).
 */
#ifndef EW_MODEL_JUDGE_IDENTITY_H
#define EW_MODEL_JUDGE_IDENTITY_H

#include "model/judge/executor.h"

enum whose {
	WHOSE_UNKNOWN = 0,
	WHOSE_OURS,
	WHOSE_FORMER,  /* of an agent id that no agent will recover here */
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
 * True when the serving agent has another id and so does not recover executors of this one. False
 * where either id is not known.
 */
bool identity_is_given_up(const struct store *store, const char *slave_id);

/*
 * A sentence (the arena's) on sources that disagree about which agent is meant or what it knows;
 * NULL: they agree.
 */
const char *identity_contradiction(const struct store *store, struct arena *arena);

/* True when the agent's API has answered with a complete list of executors. */
bool identity_listing_counts(const struct store *store);

/* A sentence on sources that disagree about this executor; NULL: they agree. */
const char *identity_lists_disagree(const struct store *store, const struct executor *executor,
				    struct arena *arena);

#endif
