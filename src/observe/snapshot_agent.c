/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which process is the agent, and what belongs to another one. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/netns.h"
#include "base/proc.h"
#include "observe/snapshot_internal.h"

bool snapshot_is_elsewhere(const struct snapshot *snapshot, const struct snapshot_process *process)
{
	if (snapshot->elsewhere != EW_NO || process->netns == snapshot->netns)
		return false;
	for (size_t i = 0; i < snapshot->n_agents; i++) {
		const struct snapshot_agent *agent = &snapshot->agents[i];

		if (agent->netns != snapshot->netns &&
		    (agent->netns == process->netns ||
		     addr_ip_equal(&agent->listen, &process->agent)))
			return true;
	}
	return false;
}

bool snapshot_is_agents(const struct snapshot *snapshot, const struct fact_socket *socket)
{
	return agent_ports_have(&snapshot->ports, socket->local.port) ||
	       agent_ports_have(&snapshot->ports, socket->remote.port);
}

bool snapshot_may_be_agent(const struct snapshot *snapshot, const struct snapshot_agent *agent)
{
	if (snapshot->elsewhere == EW_NO && agent->netns != snapshot->netns)
		return false;
	return !snapshot->owner_known || agent->uid == 0 || agent->uid == snapshot->owner;
}

const struct snapshot_agent *snapshot_agent(const struct snapshot *snapshot)
{
	const struct snapshot_agent *best = NULL;

	for (size_t i = 0; i < snapshot->n_agents; i++) {
		const struct snapshot_agent *agent = &snapshot->agents[i];

		if (snapshot_may_be_agent(snapshot, agent) &&
		    (!best || agent->mesos >= best->mesos))
			best = agent;
	}
	return best;
}

int snapshot_netns_open(const struct snapshot *snapshot, uint64_t netns)
{
	int err = -ENOENT;

	if (netns == snapshot->netns && snapshot->netns_fd != NETNS_OWN)
		return fcntl(snapshot->netns_fd, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < snapshot->n_rows; i++) {
		uint64_t inode;
		int fd;

		/* 0: it may not be read, and may be that one. */
		if (snapshot->rows[i].netns && snapshot->rows[i].netns != netns)
			continue;
		fd = netns_open_pid(snapshot->rows[i].pid, &inode);
		if (fd >= 0 && inode == netns)
			return fd;
		if (fd >= 0)
			close(fd);
		else if (!proc_is_gone(fd))
			err = fd == -EPERM ? -EACCES : fd;
	}
	return err;
}
