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
#include "observe/netlink/conntrack_table.h"
#include "base/array.h"
#include "base/emit.h"
#include "observe/link_firewall.h"
#include "observe/snapshot.h"
#include "observe/netlink/conntrack_hooks.h"

enum { STATE_ESTABLISHED = 1 };

/* A link, and the ends that its packets have in a namespace that they pass. */
struct passage {
	const struct fact_socket *link;
	struct ew_addr local;
	struct ew_addr remote;
};

/* One namespace, and the links whose packets pass it. */
struct place {
	uint64_t netns;
	struct passage *links;
	size_t n;
	size_t cap;
};

struct places {
	struct place agents; /* netns 0: no agent is there */
	struct place *items; /* the others */
	size_t n;
	size_t cap;
};

static struct place *place_get(struct places *places, uint64_t netns)
{
	if (netns == places->agents.netns)
		return &places->agents;
	for (size_t i = 0; i < places->n; i++)
		if (places->items[i].netns == netns)
			return &places->items[i];
	if (array_reserve(&places->items, &places->cap, places->n, sizeof(*places->items)) < 0)
		return NULL;
	places->items[places->n] = (struct place){ .netns = netns };
	return &places->items[places->n++];
}

static bool place_add(struct place *place, const struct fact_socket *link,
		      const struct ew_addr *local, const struct ew_addr *remote)
{
	if (!place ||
	    array_reserve(&place->links, &place->cap, place->n, sizeof(*place->links)) < 0)
		return false;
	place->links[place->n++] = (struct passage){ link, *local, *remote };
	return true;
}

static bool places_fill(struct places *places, const struct snapshot *snapshot)
{
	const struct snapshot_agent *agent = snapshot_agent(snapshot);
	const struct fact_socket *link;

	places->agents.netns = agent ? agent->netns : 0;
	for (size_t i = 0; (link = snapshot_socket(snapshot, i)); i++)
		if (link->state == STATE_ESTABLISHED &&
		    agent_ports_have(snapshot_ports(snapshot), link->remote.port) &&
		    !place_add(place_get(places, link->netns), link, &link->local, &link->remote))
			return false;
	return true;
}

static void places_clear(struct places *places)
{
	for (size_t i = 0; i < places->n; i++)
		free(places->items[i].links);
	free(places->items);
	free(places->agents.links);
}

static void emit_unasked(const struct fact_sink *sink, uint64_t netns, const struct error *error)
{
	char object[80];

	snprintf(object, sizeof(object), "connection tracking of network namespace %llu",
		 (unsigned long long)netns);
	emit_failed(sink, object, error);
}

static void emit_entry(const struct place *place, const struct fact_socket *link,
		       const struct conntrack_query *query, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_CT_ENTRY, .mono = now_mono() };
	struct fact_ct_entry *entry = &fact.ct_entry;

	if (query->err)
		emit_unread(sink, 0, link->cookie, query->err,
			    "connection tracking entry of a link");
	entry->cookie = link->cookie;
	entry->netns = place->netns;
	entry->present = query->present;
	entry->timeout = query->timeout;
	entry->zone = query->zone;
	if (query->present == EW_YES) {
		entry->translated = !addr_equal(&query->peer_local, &link->remote) ||
				    !addr_equal(&query->peer_remote, &link->local);
	}
	if (entry->translated) {
		entry->reply_local = query->peer_local;
		entry->reply_remote = query->peer_remote;
	}
	fact_emit(sink, &fact);
}

/* A packet that leaves the executor's namespace enters the agent's as it was translated. */
static bool pass_on(struct place *agents, const struct passage *passage,
		    const struct conntrack_query *query)
{
	if (query->present == EW_YES)
		return place_add(agents, passage->link, &query->peer_remote, &query->peer_local);
	return place_add(agents, passage->link, &passage->local, &passage->remote);
}

/*
 * Rules put packets into other zones, and the entry is in the default one: of before these rules,
 * or they do not concern this link.
 */
static void doubt_default_zone(const struct place *place, struct conntrack_query *queries,
			       const struct fact_sink *sink)
{
	size_t n = 0;

	for (size_t i = 0; i < place->n; i++) {
		if (queries[i].present != EW_YES || queries[i].zone)
			continue;
		queries[i].present = EW_UNKNOWN;
		n++;
	}
	if (n)
		emit_corrupt(sink, 0, "whether connection tracking knows the links",
			     "their entries are in the default zone, but rules of nftables or "
			     "iptables set other zones, or may");
}

static bool emit_entries(int nsfd, const struct place *place,
			 const struct conntrack_hooks *tracking, struct place *agents,
			 const struct fact_sink *sink)
{
	bool asked = tracking->in_force != EW_NO;
	struct conntrack_query *queries = calloc(place->n + 1, sizeof(*queries));
	struct error error = { 0 };
	bool done = queries != NULL;
	int err = 0;

	for (size_t i = 0; queries && i < place->n; i++) {
		queries[i].local = place->links[i].local;
		queries[i].remote = place->links[i].remote;
	}
	if (queries && asked)
		err = conntrack_lookup(nsfd, queries, place->n, &error);
	if (err < 0)
		emit_unasked(sink, place->netns, &error);
	else if (queries && tracking->sets_zones)
		doubt_default_zone(place, queries, sink);
	for (size_t i = 0; queries && i < place->n; i++) {
		if (asked && !err)
			emit_entry(place, place->links[i].link, &queries[i], sink);
		if (place != agents && agents->netns)
			done &= pass_on(agents, &place->links[i], &queries[i]);
	}
	free(queries);
	return done && err == 0;
}

/* Links with both ends in the agent's namespace: their packets pass the device lo. */
static bool emit_firewall(int nsfd, const struct place *agents, bool tracked, int64_t until,
			  const struct fact_sink *sink)
{
	const struct fact_socket **links = calloc(agents->n + 1, sizeof(*links));
	size_t n = 0;

	if (!links)
		return false;
	for (size_t i = 0; i < agents->n; i++)
		if (agents->links[i].link->netns == agents->netns)
			links[n++] = agents->links[i].link;
	if (n)
		link_firewall_emit(nsfd, agents->netns, tracked, until, links, n, sink);
	free(links);
	return true;
}

static int probe(int nsfd, const struct place *place, struct conntrack_hooks *tracking,
		 struct error *error)
{
	bool v4 = place->n == 0, v6 = place->n == 0;

	for (size_t i = 0; i < place->n; i++) {
		bool is_v4 = addr_is_v4(&place->links[i].local);

		v4 |= is_v4;
		v6 |= !is_v4;
	}
	return conntrack_hooks_probe(nsfd, v4, v6, tracking, error);
}

static bool emit_active(int nsfd, const struct place *place, struct conntrack_hooks *tracking,
			const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_CT_ACTIVE };
	struct error error = { 0 };
	int err = probe(nsfd, place, tracking, &error);

	if (err < 0)
		emit_unasked(sink, place->netns, &error);
	else if (tracking->in_force == EW_UNKNOWN)
		emit_corrupt(sink, 0, "whether connection tracking is in force",
			     tracking->evidence);
	fact.mono = now_mono();
	fact.ct_active.netns = place->netns;
	fact.ct_active.in_force = tracking->in_force;
	/* How full the table is is no reason for a verdict of its own: unread, it is not known. */
	if (tracking->in_force != EW_NO)
		conntrack_count(nsfd, &fact.ct_active.entries, &fact.ct_active.limit);
	if (tracking->in_force != EW_NO)
		fact.ct_active.established = conntrack_established_timeout(nsfd);
	fact_emit(sink, &fact);
	return err == 0;
}

static bool emit_place(const struct snapshot *snapshot, const struct place *place,
		       struct place *agents, const struct fact_sink *sink)
{
	struct conntrack_hooks tracking = { .in_force = EW_UNKNOWN };
	struct error error = { 0 };
	bool done;
	int fd = snapshot_netns_open(snapshot, place->netns);

	if (fd == -ENOENT)
		return true; /* it ended, and the links with it */
	if (fd < 0) {
		error_set(&error, fd, "run as root", "find a process in it");
		emit_unasked(sink, place->netns, &error);
		return false;
	}
	done = emit_active(fd, place, &tracking, sink);
	done &= emit_entries(fd, place, &tracking, agents, sink);
	if (place == agents)
		done &= emit_firewall(fd, place, tracking.in_force != EW_NO,
				      snapshot_until(snapshot), sink);
	close(fd);
	return done;
}

bool conntrack_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	struct places places = { 0 };
	bool done = places_fill(&places, snapshot);

	for (size_t i = 0; i < places.n; i++)
		done &= emit_place(snapshot, &places.items[i], &places.agents, sink);
	if (places.agents.netns) /* the last: what the others have translated passes it */
		done &= emit_place(snapshot, &places.agents, &places.agents, sink);
	places_clear(&places);
	return done;
}
