/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/named_listeners.h"

#include <stdbool.h>
#include <unistd.h>

#include "base/agent_ports.h"
#include "base/now.h"
#include "facts.h"
#include "observe/netlink/sockdiag.h"
#include "observe/snapshot.h"

/* Of these many pairs of a namespace and a port; a node has few agents. */
enum { PLACES_MAX = 16 };

struct place {
	uint64_t netns;
	uint16_t port;
};

struct places {
	struct place v[PLACES_MAX];
	size_t n;
};

static void place_add(struct places *places, uint64_t netns, uint16_t port)
{
	for (size_t i = 0; i < places->n; i++)
		if (places->v[i].netns == netns && places->v[i].port == port)
			return;
	if (netns && places->n < PLACES_MAX)
		places->v[places->n++] = (struct place){ netns, port };
}

static void listener_emit(const struct fact_socket *socket, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_LISTENER, .mono = now_mono() };

	fact.listener.listen = socket->local;
	fact.listener.netns = socket->netns;
	fact_emit(sink, &fact);
}

static void place_emit(const struct snapshot *snapshot, const struct place *place,
		       const struct fact_sink *sink)
{
	const struct agent_ports ports = { { place->port } };
	int nsfd = snapshot_netns_open(snapshot, place->netns);
	const struct fact_socket *socket;
	struct sockdiag *list;

	if (nsfd < 0)
		return;
	if (sockdiag_open(nsfd, place->netns, &ports, SOCKDIAG_LISTEN, &list, NULL) == 0) {
		while (sockdiag_next(list, &socket, NULL) > 0)
			listener_emit(socket, sink);
		sockdiag_close(list);
	}
	close(nsfd);
}

void named_listeners_emit(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	const struct agent_ports *ours = snapshot_ports(snapshot);
	const struct snapshot_process *process;
	struct places places = { .n = 0 };

	for (size_t i = 0; (process = snapshot_process(snapshot, i)); i++) {
		uint16_t port = (uint16_t)process->agent.port;

		if (!process->mesos || !port || agent_ports_have(ours, port))
			continue;
		place_add(&places, snapshot_netns(snapshot), port);
		place_add(&places, process->netns, port);
	}
	for (size_t i = 0; i < places.n; i++)
		place_emit(snapshot, &places.v[i], sink);
}
