/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/link_entries.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "observe/netlink/conntrack.h"

struct look {
	struct link_entries *links;
	size_t n;
	struct conntrack_query *queries; /* of the links at hand, in one namespace */
	size_t *of;			 /* their numbers */
	size_t n_queries;
	struct ew_addr *outer_local; /* the ends as packets leave the own namespace */
	struct ew_addr *outer_remote;
	bool *done, *lost, *unread;
};

static void take(struct link_entries *link, const struct conntrack_query *query, int64_t before,
		 int64_t after)
{
	int64_t earliest = before + query->timeout;

	if (link->present == EW_YES && link->earliest <= earliest)
		return;
	link->present = EW_YES;
	link->earliest = earliest;
	link->latest = after + query->timeout + NS_PER_S;
}

/* One answer. An entry that was found here once has to be found again. */
static void answer(struct look *look, size_t i, bool *had, const struct conntrack_query *query,
		   int64_t before, int64_t after)
{
	if (query->present == EW_NO) {
		look->lost[i] |= *had;
		return;
	}
	if (query->present == EW_UNKNOWN || query->timeout < 0) {
		look->unread[i] = true;
		return;
	}
	*had = true;
	take(&look->links[i], query, before, after);
}

static int ask(struct look *look, int nsfd, bool agents, struct error *error)
{
	int64_t before = now_mono(), after;
	int err =
		look->n_queries ? conntrack_lookup(nsfd, look->queries, look->n_queries, error) : 0;

	after = now_mono();
	for (size_t i = 0; i < look->n_queries; i++) {
		struct link_entries *link = &look->links[look->of[i]];
		const struct conntrack_query *query = &look->queries[i];

		if (err) {
			look->unread[look->of[i]] = true;
			continue;
		}
		answer(look, look->of[i], agents ? &link->in_agents : &link->in_own, query, before,
		       after);
		if (!agents && query->present == EW_YES) {
			look->outer_local[look->of[i]] = query->peer_remote;
			look->outer_remote[look->of[i]] = query->peer_local;
		}
	}
	look->n_queries = 0;
	return err;
}

static void add(struct look *look, size_t i)
{
	look->of[look->n_queries] = i;
	look->queries[look->n_queries++] =
		(struct conntrack_query){ .local = look->outer_local[i],
					  .remote = look->outer_remote[i] };
}

/* All links whose own namespace is that of the first. */
static int look_own(struct look *look, size_t first, struct error *error)
{
	uint64_t netns = look->links[first].netns, inode;
	int fd, err;

	for (size_t i = first; i < look->n; i++) {
		if (!look->links[i].wanted || look->links[i].netns != netns)
			continue;
		look->done[i] = true;
		add(look, i);
	}
	fd = netns_open_pid(look->links[first].pid, &inode);
	if (fd >= 0 && inode == netns) {
		err = ask(look, fd, false, error);
		close(fd);
		return err;
	}
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < look->n_queries; i++) /* it has ended, or has moved */
		look->unread[look->of[i]] = true;
	look->n_queries = 0;
	return 0;
}

static int look_all(struct look *look, int nsfd, uint64_t netns, struct error *error)
{
	int err = 0;

	for (size_t i = 0; i < look->n; i++) {
		look->outer_local[i] = look->links[i].local;
		look->outer_remote[i] = look->links[i].remote;
		if (look->links[i].wanted)
			look->links[i].present = EW_NO;
	}
	for (size_t i = 0; !err && i < look->n; i++)
		if (look->links[i].wanted && look->links[i].netns != netns && !look->done[i])
			err = look_own(look, i, error);
	for (size_t i = 0; i < look->n; i++)
		if (look->links[i].wanted)
			add(look, i);
	if (!err)
		err = ask(look, nsfd, true, error);
	for (size_t i = 0; i < look->n; i++) {
		if (!look->links[i].wanted)
			continue;
		if (look->lost[i])
			look->links[i].present = EW_NO;
		else if (err || look->unread[i])
			look->links[i].present = EW_UNKNOWN;
	}
	return err;
}

int link_entries_look(int nsfd, uint64_t netns, struct link_entries *links, size_t n,
		      struct error *error)
{
	struct look look = {
		.links = links,
		.n = n,
		.queries = calloc(n + 1, sizeof(*look.queries)),
		.of = calloc(n + 1, sizeof(*look.of)),
		.outer_local = calloc(n + 1, sizeof(*look.outer_local)),
		.outer_remote = calloc(n + 1, sizeof(*look.outer_remote)),
		.done = calloc(n + 1, sizeof(*look.done)),
		.lost = calloc(n + 1, sizeof(*look.lost)),
		.unread = calloc(n + 1, sizeof(*look.unread)),
	};
	bool whole = look.queries && look.of && look.outer_local && look.outer_remote &&
		     look.done && look.lost && look.unread;
	int err = whole ? look_all(&look, nsfd, netns, error)
			: error_set(error, -ENOMEM, NULL, "look up the entries of %zu links", n);

	free(look.queries);
	free(look.of);
	free(look.outer_local);
	free(look.outer_remote);
	free(look.done);
	free(look.lost);
	free(look.unread);
	return err;
}
