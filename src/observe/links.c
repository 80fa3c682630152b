/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/links.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/conntrack.h"
#include "observe/grow.h"
#include "observe/put.h"
#include "observe/scene.h"
#include "observe/tracking.h"

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
	if (grow(&places->items, &places->cap, places->n, sizeof(*places->items)) < 0)
		return NULL;
	places->items[places->n] = (struct place){ .netns = netns };
	return &places->items[places->n++];
}

static bool place_add(struct places *places, uint64_t netns, const struct fact_socket *link)
{
	struct place *place = place_get(places, netns);

	if (!place || grow(&place->links, &place->cap, place->n, sizeof(link)) < 0)
		return false;
	place->links[place->n++] = link;
	return true;
}

static bool places_fill(struct places *places, const struct scene *scene)
{
	const struct scene_agent *agent = scene_agent(scene);

	if (agent && !place_get(places, agent->netns))
		return false;
	for (size_t i = 0; i < scene->n_sockets; i++) {
		const struct fact_socket *link = &scene->sockets[i];

		if (link->state != STATE_ESTABLISHED || link->remote.port != scene->port)
			continue;
		if (!place_add(places, link->netns, link))
			return false;
		if (agent && agent->netns != link->netns && !place_add(places, agent->netns, link))
			return false;
	}
	return true;
}

static void put_unasked(struct scene *scene, uint64_t netns, const struct fail *why)
{
	char object[80], reason[640];

	snprintf(object, sizeof(object), "connection tracking of network namespace %llu",
		 (unsigned long long)netns);
	put_damage(&scene->tee, 0, object, fail_text(why, reason, sizeof(reason)));
}

static bool put_entries(struct scene *scene, int nsfd, const struct place *place)
{
	struct conntrack_query *queries = calloc(place->n + 1, sizeof(*queries));
	struct fail why = { 0 };
	int err;

	if (!queries)
		return false;
	for (size_t i = 0; i < place->n; i++) {
		queries[i].local = place->links[i]->local;
		queries[i].remote = place->links[i]->remote;
	}
	err = conntrack_lookup(nsfd, queries, place->n, &why);
	if (err < 0)
		put_unasked(scene, place->netns, &why);
	for (size_t i = 0; !err && i < place->n; i++) {
		struct fact fact = { .type = FACT_ENTRY, .mono = now_mono() };

		if (queries[i].present == TRI_UNKNOWN)
			put_unread(&scene->tee, 0, place->links[i]->cookie, queries[i].err,
				   "connection tracking entry of a link");
		fact.entry.cookie = place->links[i]->cookie;
		fact.entry.netns = place->netns;
		fact.entry.present = queries[i].present;
		fact.entry.timeout = queries[i].timeout;
		fact_put(&scene->tee, &fact);
	}
	free(queries);
	return err == 0;
}

static bool put_place(struct scene *scene, const struct place *place)
{
	struct fact fact = { .type = FACT_TRACKING };
	struct tracking tracking = { .in_force = TRI_UNKNOWN };
	bool v4 = place->n == 0, v6 = place->n == 0, done;
	struct fail why = { 0 };
	int fd = scene_netns_open(scene, place->netns);
	int err;

	if (fd == -ENOENT)
		return true; /* it ended, and the links with it */
	if (fd < 0) {
		fail_set(&why, fd, "run as root", "find a process in it");
		put_unasked(scene, place->netns, &why);
		return false;
	}
	for (size_t i = 0; i < place->n; i++) {
		bool is_v4 = addr_is_v4(&place->links[i]->local);

		v4 |= is_v4;
		v6 |= !is_v4;
	}
	err = tracking_probe(fd, v4, v6, &tracking, &why);
	if (err < 0)
		put_unasked(scene, place->netns, &why);
	else if (tracking.in_force == TRI_UNKNOWN)
		put_damage(&scene->tee, 0, "whether connection tracking is in force",
			   tracking.evidence);
	fact.mono = now_mono();
	fact.tracking.netns = place->netns;
	fact.tracking.in_force = tracking.in_force;
	fact_put(&scene->tee, &fact);
	done = err == 0;
	if (tracking.in_force != TRI_NO && place->n)
		done &= put_entries(scene, fd, place);
	close(fd);
	return done;
}

bool links_put(struct scene *scene)
{
	struct places places = { 0 };
	bool done = places_fill(&places, scene);

	for (size_t i = 0; i < places.n; i++) {
		done &= put_place(scene, &places.items[i]);
		free(places.items[i].links);
	}
	free(places.items);
	return done;
}
