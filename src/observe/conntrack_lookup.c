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
#include "observe/link_way.h"
#include "observe/snapshot.h"
#include "observe/netlink/conntrack_hooks.h"

enum { STATE_ESTABLISHED = 1 };

/* Namespaces that a link's packets may pass between the executor's own and the agent's. */
enum { BETWEEN_MAX = 2 };

/* A link, and the ends that its packets have in a namespace that they pass. */
struct passage {
	const struct fact_socket *link;
	struct ew_addr local;
	struct ew_addr remote;
	int between; /* namespaces passed before this one, but for the executor's own */
};

/* One namespace, and the links whose packets pass it. */
struct place {
	uint64_t netns;
	struct passage *links;
	size_t n;
	size_t cap;
	size_t done; /* links that were looked up */
};

struct places {
	struct place agents; /* netns 0: no agent is there */
	struct place *items; /* the others */
	size_t n;
	size_t cap;
	const struct snapshot *snapshot;
	const struct fact_sink *sink;
	struct link_way *way; /* NULL: no agent is there */
};

/* A place at work: of places.items, which may grow meanwhile, or the agent's. */
struct look {
	struct places *places;
	uint64_t netns;
	const struct passage *links;
	size_t n;
	int nsfd;
	struct conntrack_hooks tracking;
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

static bool place_add(struct place *place, const struct passage *passage)
{
	if (!place ||
	    array_reserve(&place->links, &place->cap, place->n, sizeof(*place->links)) < 0)
		return false;
	place->links[place->n++] = *passage;
	return true;
}

static bool places_fill(struct places *places)
{
	const struct snapshot *snapshot = places->snapshot;
	const struct fact_socket *link;

	for (size_t i = 0; (link = snapshot_socket(snapshot, i)); i++)
		if (link->state == STATE_ESTABLISHED &&
		    agent_ports_have(snapshot_ports(snapshot), link->remote.port) &&
		    !place_add(place_get(places, link->netns),
			       &(struct passage){ link, link->local, link->remote, 0 }))
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

static void emit_entry(uint64_t netns, const struct fact_socket *link,
		       const struct conntrack_query *query, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_CT_ENTRY, .mono = now_mono() };
	struct fact_ct_entry *entry = &fact.ct_entry;

	if (query->err)
		emit_unread(sink, 0, link->cookie, query->err,
			    "connection tracking entry of a link");
	entry->cookie = link->cookie;
	entry->netns = netns;
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

/* The ends that packets have behind a namespace that may translate them. */
static struct passage passage_behind(const struct passage *passage,
				     const struct conntrack_query *query)
{
	struct passage behind = *passage;

	if (query->present == EW_YES) {
		behind.local = query->peer_remote;
		behind.remote = query->peer_local;
	}
	return behind;
}

/* Whatever they pass on their way, nobody looked there: an entry of no namespace, not known. */
static void emit_unseen_way(const struct look *look, const struct passage *passage,
			    const struct error *error, bool first)
{
	struct fact fact = { .type = FACT_CT_ENTRY, .mono = now_mono() };
	char object[80];

	fact.ct_entry.cookie = passage->link->cookie;
	fact.ct_entry.timeout = -1;
	fact_emit(look->places->sink, &fact);
	if (!first)
		return;
	snprintf(object, sizeof(object), "the way of links from network namespace %llu",
		 (unsigned long long)look->netns);
	emit_failed(look->places->sink, object, error);
}

/*
 * To the next namespace on the way to the agent's. A way that cannot be told is none that is known
 * to be free: the link is looked up in the agent's namespace all the same.
 */
static bool pass_on(const struct look *look, const struct passage *passage, bool *told)
{
	struct places *places = look->places;
	struct passage behind = *passage;
	const struct ew_addr *from =
		passage->link->netns == look->netns ? &passage->link->local : NULL;
	struct error error = { 0 };
	uint64_t next = 0;
	int err = link_way_next(places->way, look->nsfd, look->netns, from, &passage->remote, &next,
				&error);

	if (!err && next != places->agents.netns && next != look->netns &&
	    behind.between++ < BETWEEN_MAX)
		return place_add(place_get(places, next), &behind);
	if (!err && next != places->agents.netns && next != look->netns)
		err = error_set(&error, -ELOOP, NULL,
				"packets pass more than %d network namespaces between the ends",
				BETWEEN_MAX);
	if (err)
		emit_unseen_way(look, passage, &error, !*told);
	*told |= err != 0;
	return place_add(&places->agents, &behind);
}

/*
 * Rules put packets into other zones, and the entry is in the default one: of before these rules,
 * or they do not concern this link.
 */
static void doubt_default_zone(const struct look *look, struct conntrack_query *queries)
{
	size_t n = 0;

	for (size_t i = 0; i < look->n; i++) {
		if (queries[i].present != EW_YES || queries[i].zone)
			continue;
		queries[i].present = EW_UNKNOWN;
		n++;
	}
	if (n)
		emit_corrupt(look->places->sink, 0, "whether connection tracking knows the links",
			     "their entries are in the default zone, but rules of nftables or "
			     "iptables set other zones, or may");
}

static bool emit_entries(const struct look *look)
{
	bool asked = look->tracking.in_force != EW_NO, told = false;
	struct conntrack_query *queries = calloc(look->n + 1, sizeof(*queries));
	struct places *places = look->places;
	struct error error = { 0 };
	bool done = queries != NULL;
	int err = 0;

	for (size_t i = 0; queries && i < look->n; i++) {
		queries[i].local = look->links[i].local;
		queries[i].remote = look->links[i].remote;
	}
	if (queries && asked)
		err = conntrack_lookup(look->nsfd, queries, look->n, &error);
	if (err < 0)
		emit_unasked(places->sink, look->netns, &error);
	else if (queries && look->tracking.sets_zones)
		doubt_default_zone(look, queries);
	for (size_t i = 0; queries && i < look->n; i++) {
		struct passage behind = passage_behind(&look->links[i], &queries[i]);

		if (asked && !err)
			emit_entry(look->netns, look->links[i].link, &queries[i], places->sink);
		if (places->way && look->netns != places->agents.netns)
			done &= pass_on(look, &behind, &told);
	}
	free(queries);
	return done && err == 0;
}

/* Links with both ends in the agent's namespace: their packets pass the device lo. */
static bool emit_firewall(const struct look *look)
{
	const struct fact_socket **links = calloc(look->n + 1, sizeof(*links));
	size_t n = 0;

	if (!links)
		return false;
	for (size_t i = 0; i < look->n; i++)
		if (look->links[i].link->netns == look->netns)
			links[n++] = look->links[i].link;
	if (n)
		link_firewall_emit(look->nsfd, look->netns, look->tracking.in_force != EW_NO,
				   snapshot_until(look->places->snapshot), links, n,
				   look->places->sink);
	free(links);
	return true;
}

static int probe(struct look *look, struct error *error)
{
	bool v4 = look->n == 0, v6 = look->n == 0;

	for (size_t i = 0; i < look->n; i++) {
		bool is_v4 = addr_is_v4(&look->links[i].local);

		v4 |= is_v4;
		v6 |= !is_v4;
	}
	return conntrack_hooks_probe(look->nsfd, v4, v6, &look->tracking, error);
}

static bool emit_active(struct look *look)
{
	const struct fact_sink *sink = look->places->sink;
	struct fact fact = { .type = FACT_CT_ACTIVE };
	struct error error = { 0 };
	int err = probe(look, &error);

	if (err < 0)
		emit_unasked(sink, look->netns, &error);
	else if (look->tracking.in_force == EW_UNKNOWN)
		emit_corrupt(sink, 0, "whether connection tracking is in force",
			     look->tracking.evidence);
	fact.mono = now_mono();
	fact.ct_active.netns = look->netns;
	fact.ct_active.in_force = look->tracking.in_force;
	/* How full the table is is no reason for a verdict of its own: unread, it is not known. */
	if (look->tracking.in_force != EW_NO)
		conntrack_count(look->nsfd, &fact.ct_active.entries, &fact.ct_active.limit);
	if (look->tracking.in_force != EW_NO)
		fact.ct_active.established = conntrack_established_timeout(look->nsfd);
	fact_emit(sink, &fact);
	return err == 0;
}

/* Through a process that is in it, or as the way led there. */
static int place_open(const struct places *places, uint64_t netns)
{
	int fd = places->way ? link_way_open(places->way, netns) : -ENOENT;

	return fd == -ENOENT ? snapshot_netns_open(places->snapshot, netns) : fd;
}

/* The links of place that were not looked up yet; a copy, since passing them on adds others. */
static bool emit_place(struct places *places, struct place *place)
{
	size_t n = place->n - place->done;
	struct passage *links = calloc(n + 1, sizeof(*links));
	struct look look = { .places = places, .netns = place->netns, .links = links, .n = n };
	struct error error = { 0 };
	bool done = false;

	for (size_t i = 0; links && i < n; i++)
		links[i] = place->links[place->done + i];
	place->done = place->n;
	look.nsfd = links ? place_open(places, look.netns) : -ENOMEM;
	if (look.nsfd == -ENOENT) {
		done = true; /* it ended, and the links with it */
	} else if (look.nsfd < 0) {
		error_set(&error, look.nsfd, "run as root", "find a process in it");
		emit_unasked(places->sink, look.netns, &error);
	} else {
		done = emit_active(&look);
		done &= emit_entries(&look);
		if (look.netns == places->agents.netns)
			done &= emit_firewall(&look);
		close(look.nsfd);
	}
	free(links);
	return done;
}

/* The way leads from one place to others, which may have been looked at before for other links. */
static bool emit_others(struct places *places)
{
	bool done = true, again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < places->n; i++) {
			if (places->items[i].done == places->items[i].n)
				continue;
			done &= emit_place(places, &places->items[i]);
			again = true;
		}
	}
	return done;
}

bool conntrack_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	const struct snapshot_agent *agent = snapshot_agent(snapshot);
	struct places places = { .snapshot = snapshot, .sink = sink };
	int agents_fd = agent ? snapshot_netns_open(snapshot, agent->netns) : -ENOENT;
	bool done;

	places.agents.netns = agent ? agent->netns : 0;
	if (agents_fd >= 0)
		places.way = link_way_new(snapshot, agents_fd, places.agents.netns);
	done = places_fill(&places) && (agents_fd < 0 || places.way);
	done &= emit_others(&places);
	if (places.agents.netns) /* the last: what the others have translated passes it */
		done &= emit_place(&places, &places.agents);
	link_way_free(places.way);
	if (agents_fd >= 0)
		close(agents_fd);
	places_clear(&places);
	return done;
}
