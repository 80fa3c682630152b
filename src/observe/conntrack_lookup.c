/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/conntrack_lookup.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "observe/netlink/conntrack.h"
#include "base/array.h"
#include "base/emit.h"
#include "observe/snapshot.h"
#include "observe/netlink/conntrack_hooks.h"

enum { STATE_ESTABLISHED = 1 };

/* One namespace, and the links whose packets pass it. */
struct place {
	uint64_t netns;
	const struct fact_socket **links;
	size_t n;
	size_t cap;
};

struct places {
	struct place *items;
	size_t n;
	size_t cap;
};

static struct place *place_get(struct places *places, uint64_t netns)
{
	for (size_t i = 0; i < places->n; i++)
		if (places->items[i].netns == netns)
			return &places->items[i];
	if (array_reserve(&places->items, &places->cap, places->n, sizeof(*places->items)) < 0)
		return NULL;
	places->items[places->n] = (struct place){ .netns = netns };
	return &places->items[places->n++];
}

static bool place_add(struct places *places, uint64_t netns, const struct fact_socket *link)
{
	struct place *place = place_get(places, netns);

	if (!place || array_reserve(&place->links, &place->cap, place->n, sizeof(link)) < 0)
		return false;
	place->links[place->n++] = link;
	return true;
}

static bool places_fill(struct places *places, const struct snapshot *snapshot)
{
	const struct snapshot_agent *agent = snapshot_agent(snapshot);
	const struct fact_socket *link;

	if (agent && !place_get(places, agent->netns))
		return false;
	for (size_t i = 0; (link = snapshot_socket(snapshot, i)); i++) {
		if (link->state != STATE_ESTABLISHED ||
		    link->remote.port != snapshot_port(snapshot))
			continue;
		if (!place_add(places, link->netns, link))
			return false;
		if (agent && agent->netns != link->netns && !place_add(places, agent->netns, link))
			return false;
	}
	return true;
}

static void emit_unasked(const struct fact_sink *sink, uint64_t netns, const struct error *error)
{
	char object[80];

	snprintf(object, sizeof(object), "connection tracking of network namespace %llu",
		 (unsigned long long)netns);
	emit_failed(sink, object, error);
}

static bool emit_entries(int nsfd, const struct place *place, const struct fact_sink *sink)
{
	struct conntrack_query *queries = calloc(place->n + 1, sizeof(*queries));
	struct error error = { 0 };
	int err;

	if (!queries)
		return false;
	for (size_t i = 0; i < place->n; i++) {
		queries[i].local = place->links[i]->local;
		queries[i].remote = place->links[i]->remote;
	}
	err = conntrack_lookup(nsfd, queries, place->n, &error);
	if (err < 0)
		emit_unasked(sink, place->netns, &error);
	for (size_t i = 0; !err && i < place->n; i++) {
		struct fact fact = { .type = FACT_CT_ENTRY, .mono = now_mono() };

		if (queries[i].present == EW_UNKNOWN)
			emit_unread(sink, 0, place->links[i]->cookie, queries[i].err,
				    "connection tracking entry of a link");
		fact.ct_entry.cookie = place->links[i]->cookie;
		fact.ct_entry.netns = place->netns;
		fact.ct_entry.present = queries[i].present;
		fact.ct_entry.timeout = queries[i].timeout;
		fact_emit(sink, &fact);
	}
	free(queries);
	return err == 0;
}

static bool emit_place(const struct snapshot *snapshot, const struct place *place,
		       const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_CT_ACTIVE };
	struct conntrack_hooks tracking = { .in_force = EW_UNKNOWN };
	bool v4 = place->n == 0, v6 = place->n == 0, done;
	struct error error = { 0 };
	int fd = snapshot_netns_open(snapshot, place->netns);
	int err;

	if (fd == -ENOENT)
		return true; /* it ended, and the links with it */
	if (fd < 0) {
		error_set(&error, fd, "run as root", "find a process in it");
		emit_unasked(sink, place->netns, &error);
		return false;
	}
	for (size_t i = 0; i < place->n; i++) {
		bool is_v4 = addr_is_v4(&place->links[i]->local);

		v4 |= is_v4;
		v6 |= !is_v4;
	}
	err = conntrack_hooks_probe(fd, v4, v6, &tracking, &error);
	if (err < 0)
		emit_unasked(sink, place->netns, &error);
	else if (tracking.in_force == EW_UNKNOWN)
		emit_corrupt(sink, 0, "whether connection tracking is in force", tracking.evidence);
	fact.mono = now_mono();
	fact.ct_active.netns = place->netns;
	fact.ct_active.in_force = tracking.in_force;
	fact_emit(sink, &fact);
	done = err == 0;
	if (tracking.in_force != EW_NO && place->n)
		done &= emit_entries(fd, place, sink);
	close(fd);
	return done;
}

bool conntrack_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	struct places places = { 0 };
	bool done = places_fill(&places, snapshot);

	for (size_t i = 0; i < places.n; i++) {
		done &= emit_place(snapshot, &places.items[i], sink);
		free(places.items[i].links);
	}
	free(places.items);
	return done;
}
