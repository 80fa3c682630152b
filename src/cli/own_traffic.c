/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/own_traffic.h"

static bool is_known(const struct own_traffic *own, uint64_t cookie, uint16_t remote_port)
{
	for (size_t i = 0; i < OWN_MAX; i++) {
		if (own->connection[i].cookie && own->connection[i].cookie == cookie)
			return true;
		if (own->connection[i].port && own->connection[i].port == remote_port)
			return true; /* the agent's end */
	}
	return false;
}

/* At SYN_SENT the local port is not known yet; at ESTABLISHED it is. */
static void learn(struct own_traffic *own, const struct fact_tcp *tcp)
{
	for (size_t i = 0; i < OWN_MAX; i++) {
		if (own->connection[i].cookie == tcp->cookie) {
			own->connection[i].port = tcp->local.port;
			return;
		}
	}
	if (tcp->pid != own->pid)
		return;
	own->connection[own->next].cookie = tcp->cookie;
	own->connection[own->next].port = tcp->local.port;
	own->next = (own->next + 1) % OWN_MAX;
}

bool own_traffic_event(struct own_traffic *own, const struct fact *fact)
{
	if (fact->type == FACT_MESSAGE)
		return fact->message.pid == own->pid ||
		       is_known(own, fact->message.cookie, fact->message.remote.port);
	if (fact->type != FACT_TCP)
		return false;
	learn(own, &fact->tcp);
	return is_known(own, fact->tcp.cookie, fact->tcp.remote.port);
}
