/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The agent's HTTP API (Mesos slave/http.cpp): GET /state, and /flags while it recovers, when
 * /state is refused. Asks only; nothing is changed by it. The program must ignore SIGPIPE.
 */
#ifndef EW_OBSERVE_AGENT_API_H
#define EW_OBSERVE_AGENT_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct api;
struct tls;
struct event_base;
struct fact_sink;
struct error;

#define API_TIMEOUT_MS 2000
#define API_BODY_MAX   (64 * 1024 * 1024)

struct api_options {
	const char *url;	   /* "http://10.0.0.7:5051", maybe with a path before /state */
	const char *authorization; /* value of that header; NULL: none */
	/*
	 * Where the agent that was found on this host listens, in the namespace nsfd; NULL: it is
	 * not known. In plain text a credential is sent to no other address.
	 */
	const struct ew_addr *agent;
	int nsfd;      /* namespace to connect from; NETNS_OWN: ours. Copied. */
	bool emit_own; /* emits FACT_TCP of its own connections: no hook does */
	int32_t pid;   /* of the process that will answer; 0: not known */
	uint64_t start;
	const struct tls *tls; /* for an https URL; borrowed */
	uint32_t timeout_ms;   /* for a whole answer, both requests; 0: API_TIMEOUT_MS */
};

/*
 * Looks the host up and remembers how to ask. -EINVAL: no such URL; -EPROTONOSUPPORT: https,
 * without tls; -EPERM: a credential that must not be sent there; -ENOENT: no such host.
 */
int api_new(struct event_base *base, const struct api_options *options, struct api **ret_api,
	    struct error *error);
void api_free(struct api *api); /* drops a question that is under way */

/*
 * Asks, without blocking. When there is an answer, or within the timeout: emits FACT_API with that
 * answer_nr and, before it, FACT_API_EXECUTOR with the same for each executor that it lists.
 * Failures are FACT_API with a problem, in words, never an error. -EBUSY: the last question is not
 * answered yet.
 */
int api_ask(struct api *api, uint32_t answer_nr, const struct fact_sink *sink);

/* The last question is not answered yet. False for NULL. */
bool api_is_asking(const struct api *api);

#endif
