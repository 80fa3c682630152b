/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/listeners.h"

#include "base/addr.h"
#include "model/store/apply.h"
#include "model/store/memory.h"

static bool is_same(const struct fact_listener *a, const struct fact_listener *b)
{
	return a->netns == b->netns && a->listen.port == b->listen.port &&
	       addr_ip_equal(&a->listen, &b->listen);
}

void store_apply_listener(struct store *store, const struct fact *fact)
{
	struct listener *found = NULL;

	for (size_t i = 0; i < store->listeners.n && !found; i++)
		if (is_same(&store->listeners.v[i].facts, &fact->listener))
			found = &store->listeners.v[i];
	if (!found) {
		if (!store_reserve(store, store->listeners))
			return;
		found = &store->listeners.v[store->listeners.n++];
		found->facts = fact->listener;
	}
	found->seen = store->snapshot;
}

/* A host's agent is reached from the network namespaces of its executors, but not by loopback. */
static bool is_reached(const struct store *store, const struct fact_listener *listener,
		       const struct ew_addr *addr, uint64_t netns)
{
	if (listener->listen.port != addr->port ||
	    !(addr_is_any(&listener->listen) || addr_ip_equal(&listener->listen, addr)))
		return false;
	return listener->netns == netns ||
	       (listener->netns == store->session.netns && !addr_is_loopback(addr));
}

bool store_is_listened_at(const struct store *store, const struct ew_addr *addr, uint64_t netns)
{
	for (size_t i = 0; i < store->listeners.n; i++) {
		const struct listener *listener = &store->listeners.v[i];

		if (listener->seen >= store->socketed &&
		    is_reached(store, &listener->facts, addr, netns))
			return true;
	}
	return false;
}
