/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's HTTP API. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "observe/agent/api.h"
#include "observe/agent/api_question.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"

#define COARSE_CLOCK (10 * NS_PER_MS)

/* At the agent's own address: the process that listens there answers. */
static int own_api_options(struct scan *scan, const struct snapshot_agent *agent,
			   struct api_options *found, struct error *error)
{
	struct ew_addr addr = agent->listen;
	char text[ADDR_TEXT_MAX];

	if (addr_is_any(&addr))
		addr = addr_from_v4("\x7f\0\0\1", addr.port);
	snprintf(scan->url, sizeof(scan->url), "http://%s", addr_text(&addr, text));
	found->url = scan->url;
	found->agent = &agent->listen;
	found->pid = agent->pid;
	found->start = agent->start;
	found->nsfd = snapshot_netns_open(scan->snapshot, agent->netns);
	if (found->nsfd >= 0)
		return 0;
	return error_set(error, found->nsfd, "run as root",
			 "enter the network namespace %llu of the agent",
			 (unsigned long long)agent->netns);
}

/*
 * libevent's clock is coarse (CLOCK_MONOTONIC_COARSE), so that its timers may be early: an answer
 * is not given up before the scan's time is over, or what follows would pass for complete.
 */
static uint32_t api_patience_ms(const struct scan *scan)
{
	int64_t until = scan->options.until;
	int ms = bounded_ms(API_TIMEOUT_MS, until ? until + COARSE_CLOCK : 0);

	return ms ? (uint32_t)ms : 1;
}

int scan_api_options(struct scan *scan, struct api_options *options, struct error *error)
{
	const struct snapshot_agent *agent = snapshot_agent(scan->snapshot);
	struct api_options found = { .url = scan->agent_url, .nsfd = NETNS_OWN };
	int err = 0;

	found.authorization = scan->authorization;
	found.tls = scan->tls;
	found.timeout_ms = api_patience_ms(scan);
	found.emit_own = !scan->options.bpf_scan;
	if (!found.url && !agent)
		return error_set(error, -ENOENT, "start it, or give --port or --agent-url",
				 "find the agent: nothing listens on port %u", scan->options.port);
	if (!found.url)
		err = own_api_options(scan, agent, &found, error);
	else if (agent && agent->netns == netns_inode(NETNS_OWN))
		found.agent = &agent->listen;
	if (!err)
		*options = found;
	return err;
}

uint32_t scan_api_answer_nr(struct scan *scan)
{
	return ++scan->answer_nr;
}

enum step scan_ask_step(struct scan *scan)
{
	struct api_options options;
	struct error error = { 0 };
	int err = scan_api_options(scan, &options, &error);

	if (err == -ENOENT)
		return STEP_FAILED; /* that no FACT_AGENT was emitted says the same */
	if (!err) {
		err = api_ask_begin(&options, scan_api_answer_nr(scan), &scan->sink,
				    &scan->question, &error);
		if (options.nsfd != NETNS_OWN)
			close(options.nsfd);
	}
	return err < 0 ? scan_fail(scan, "the agent's HTTP API", &error) : STEP_DONE;
}

void scan_await_answer(struct scan *scan)
{
	if (scan->question)
		api_ask_end(scan->question);
	scan->question = NULL;
}

enum step scan_answer_step(struct scan *scan)
{
	scan_await_answer(scan);
	return STEP_DONE;
}
