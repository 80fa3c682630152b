/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/proof.h"

#include "base/now.h"
#include "model/judge/agent_end.h"
#include "model/judge/agent_state.h"
#include "model/judge/evidence.h"

/* The most that --executor_reregistration_timeout may be (MAX_EXECUTOR_REREGISTRATION_TIMEOUT). */
#define REREGISTER_MAX (15 * NS_PER_S)

/* A connection for one message (a status update of a driver without a link) lives for milliseconds.
 */
#define TEMPORARY NS_PER_S

bool proof_is_linked(const struct store *store, const struct executor *executor)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (agent_end_of(store, executor->links[i].conn) != EW_YES)
			return false;
	return executor->n_links > 0;
}

static bool links_outlived(const struct store *store, const struct executor *executor, int64_t age)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (store->now - executor->links[i].conn->established_at <= age)
			return false;
	return true;
}

/* True unless the connection was seen at or before that time. */
static bool links_made_after(const struct executor *executor, int64_t since)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].conn->was_there ||
		    executor->links[i].conn->established_at <= since)
			return false;
	return true;
}

static bool any_link_made_after(const struct executor *executor, int64_t since)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (!executor->links[i].conn->was_there &&
		    executor->links[i].conn->established_at > since)
			return true;
	return false;
}

/* Lost events may hide that it ended again. */
static bool by_message(const struct store *store, const struct registration *h, int64_t since)
{
	const struct agent *agent = store_agent(store);

	return !store_events(store).lost && h->registered > since && h->register_sent > since &&
	       h->registered >= h->register_sent && h->registrar == agent->facts.pid &&
	       h->registrar_start == agent->facts.start && !h->down_since;
}

/*
 * True when it sent a registration and no answer was observed, although it would have been. An
 * agent's messages are observed once it is known; one that was there before may have answered.
 */
static bool is_unanswered(const struct store *store, const struct registration *h)
{
	return h->register_sent > h->registered && h->register_sent > store_agent(store)->appeared;
}

/*
 * While it stops executors that registered too late, an agent still lists them. They have a link
 * made after its recovery, or an unanswered registration. An executor that runs longer than the
 * longest stop is none of them.
 */
static bool by_listing(const struct store *store, const struct executor *executor)
{
	const struct registration *h = &executor->process->history;
	int64_t recovered = store_agent(store)->recovered_at;
	bool late = any_link_made_after(executor, recovered) || is_unanswered(store, h);

	if (!store_is_listed(store, &executor->process->facts))
		return false;
	if (!executor->n_links)
		return evidence_is_v1(executor) &&
		       store_unix_links(store, executor->process) >= V1_CONNECTIONS &&
		       store->now > recovered + AGENT_DESTROY_TIMEOUT;
	/* A refused v1 executor keeps its connections; only acceptance is visible. */
	if (evidence_is_v1(executor) && h->refused > h->registered)
		return false;
	return proof_is_linked(store, executor) &&
	       links_outlived(store, executor, late ? AGENT_DESTROY_TIMEOUT : TEMPORARY);
}

/* Not for v1: a refused executor keeps both connections and retries. */
static bool by_link(const struct store *store, const struct executor *executor)
{
	const struct registration *h = &executor->process->history;
	int64_t timeout =
		store->api.reregister_timeout > 0 ? store->api.reregister_timeout : REREGISTER_MAX;

	if (evidence_protocol(executor->checkpoint) != PROTOCOL_V0)
		return false;
	if (is_unanswered(store, h) && timeout < AGENT_DESTROY_TIMEOUT)
		timeout = AGENT_DESTROY_TIMEOUT;
	return proof_is_linked(store, executor) && links_outlived(store, executor, timeout);
}

enum proof proof_of_restarted(const struct store *store, const struct executor *executor)
{
	const struct agent *agent = store_agent(store);
	int64_t since = agent->was_there ? 0 : agent->appeared;
	const struct registration *h = &executor->process->history;

	if (h->shutdown_sent > since || h->down_twice)
		return PROOF_NONE;
	if (by_message(store, h, since) && executor->n_links)
		return PROOF_MESSAGE;
	if (!agent_state_serves(store))
		return PROOF_NONE;
	if (agent->recovered_at) /* the agent's own statement outweighs observations */
		return by_listing(store, executor) ? PROOF_API : PROOF_NONE;
	return by_link(store, executor) ? PROOF_LINK : PROOF_NONE;
}

enum proof proof_of_same(const struct store *store, const struct executor *executor)
{
	const struct registration *h = &executor->process->history;

	if (h->shutdown_sent > h->last_down || h->down_twice)
		return PROOF_NONE;
	if (h->last_down && by_message(store, h, h->last_down) && executor->n_links)
		return PROOF_MESSAGE;
	/* An agent that lists it knows it, and takes the SUBSCRIBE of whom it knows. */
	return evidence_is_v1(executor) && h->refused <= h->registered &&
			       links_made_after(executor, h->last_down) &&
			       proof_is_linked(store, executor) &&
			       links_outlived(store, executor, REREGISTER_MAX) &&
			       agent_state_serves(store) &&
			       store_is_listed(store, &executor->process->facts)
		       ? PROOF_API
		       : PROOF_NONE;
}
