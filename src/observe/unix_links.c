/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/unix_links.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"
#include "observe/netlink/unixdiag.h"
#include "observe/proc/fd_owners.h"
#include "observe/snapshot.h"

struct unix_links {
	const struct snapshot *snapshot;
	const struct fact_sink *sink;
	uint64_t netns; /* whose sockets are listed; 0: none yet */
	struct unix_sockets sockets;
	struct fd_owners agents; /* descriptors of the agent */
};

/* Executors of one namespace follow each other mostly: its list is kept until another is needed. */
static bool list(struct unix_links *links, uint64_t netns)
{
	struct error error = { 0 };
	int nsfd, err;

	if (links->netns == netns)
		return true;
	unixdiag_clear(&links->sockets);
	links->netns = 0;
	nsfd = snapshot_netns_open(links->snapshot, netns);
	if (nsfd == -ENOENT)
		return false; /* it ended, and the process with it */
	err = nsfd < 0 ? error_set(&error, nsfd, "run as root", "enter their network namespace")
		       : unixdiag_list(nsfd, netns, &links->sockets, &error);
	if (nsfd >= 0)
		close(nsfd);
	if (err < 0) {
		emit_failed(links->sink, "unix sockets", &error);
		return false;
	}
	links->netns = netns;
	return true;
}

static void emit_link(const struct unix_links *links, const struct fd_owner *own)
{
	const struct unix_socket *socket = unixdiag_find(&links->sockets, own->inode);
	const struct unix_socket *peer =
		socket ? unixdiag_find(&links->sockets, socket->peer) : NULL;
	struct fact fact = { .type = FACT_UNIX_LINK, .mono = now_mono() };
	const struct fd_owner *agent;
	size_t n;

	if (!peer || !peer->path[0])
		return;
	agent = fd_owners_find(&links->agents, peer->inode, &n);
	fact.unix_link.pid = own->pid;
	fact.unix_link.start = own->start;
	fact.unix_link.fd = own->fd;
	fact.unix_link.inode = own->inode;
	fact.unix_link.peer_inode = peer->inode;
	fact.unix_link.peer_pid = agent ? agent->pid : 0;
	fact.unix_link.peer_start = agent ? agent->start : 0;
	fact.unix_link.path = peer->path;
	fact_emit(links->sink, &fact);
}

static void emit_process(struct unix_links *links, const struct snapshot_process *process)
{
	struct fd_owners own = { 0 };
	int err = fd_owners_add(&own, process->pid, process->start);

	if (err < 0)
		emit_unread(links->sink, process->pid, 0, err, "/proc/%d/fd", process->pid);
	else if (own.n && list(links, process->netns))
		for (size_t i = 0; i < own.n; i++)
			emit_link(links, &own.items[i]);
	fd_owners_clear(&own);
}

void unix_links_emit(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	const struct snapshot_agent *agent = snapshot_agent(snapshot);
	struct unix_links links = { .snapshot = snapshot, .sink = sink };
	const struct snapshot_process *process;
	size_t i = 0;

	while ((process = snapshot_process(snapshot, i)) && !process->domain_socket)
		i++;
	if (!process)
		return;
	/* Descriptors of the agent that may not be read leave the other ends without a holder. */
	if (agent)
		fd_owners_add(&links.agents, agent->pid, agent->start);
	fd_owners_sort(&links.agents);
	for (; (process = snapshot_process(snapshot, i)); i++)
		if (process->domain_socket)
			emit_process(&links, process);
	unixdiag_clear(&links.sockets);
	fd_owners_clear(&links.agents);
}
