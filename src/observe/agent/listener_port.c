/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/listener_port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/dirents.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/proc.h"
#include "facts.h"
#include "mesos/agent_name.h"
#include "observe/agent/agent_flags.h"
#include "observe/netlink/sockdiag.h"
#include "observe/proc/fd_owners.h"

struct listener {
	uint64_t inode;
	uint16_t port;
};

struct listeners {
	struct listener *v;
	size_t n, cap;
};

/* Of the namespace. To be freed also after an error. */
static int listeners_list(int nsfd, uint64_t netns, struct listeners *list, struct error *error)
{
	const struct fact_socket *socket;
	struct sockdiag *sockets;
	int more = sockdiag_open(nsfd, netns, NULL, SOCKDIAG_LISTEN, &sockets, error);

	if (more < 0)
		return more;
	while ((more = sockdiag_next(sockets, &socket, error)) > 0) {
		if (array_reserve(&list->v, &list->cap, list->n, sizeof(*list->v)) < 0) {
			more = error_set(error, -ENOMEM, NULL, "list who listens");
			break;
		}
		list->v[list->n++] =
			(struct listener){ socket->inode, (uint16_t)socket->local.port };
	}
	sockdiag_close(sockets);
	return more;
}

static bool is_listened_on(const struct listeners *list, uint16_t port)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].port == port)
			return true;
	return false;
}

/* The single port that the process listens on; 0: none, or several. */
static uint16_t port_of(const struct listeners *list, int32_t pid)
{
	struct fd_owners owners = { 0 };
	uint16_t port = 0;
	size_t n;

	if (fd_owners_add(&owners, pid, 0) == 0) {
		fd_owners_sort(&owners);
		for (size_t i = 0; i < list->n; i++) {
			if (list->v[i].port == port ||
			    !fd_owners_find(&owners, list->v[i].inode, &n))
				continue;
			if (port) { /* several */
				port = 0;
				break;
			}
			port = list->v[i].port;
		}
	}
	fd_owners_clear(&owners);
	return port;
}

static bool has_agents_name(int32_t pid)
{
	char exe[PATH_MAX] = "";
	struct proc_stat stat;
	bool deleted;
	int dir;

	if (proc_stat_of(pid, &stat) < 0)
		return false;
	dir = proc_open(pid);
	if (dir >= 0) {
		proc_exe(dir, exe, sizeof(exe), &deleted);
		close(dir);
	}
	return mesos_is_agent_name(stat.comm, exe);
}

static bool is_in(int32_t pid, uint64_t netns)
{
	uint64_t inode = 0;
	int fd = netns_open_pid(pid, &inode);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && inode == netns;
}

static bool is_roots(int32_t pid)
{
	int dir = proc_open(pid);
	bool roots = dir >= 0 && proc_uid(dir) == 0;

	if (dir >= 0)
		close(dir);
	return roots;
}

struct choice {
	struct listener_port found; /* port 0: none so far */
	bool roots;
	bool several;
};

static void choice_add(struct choice *choice, int32_t pid, uint16_t port)
{
	bool roots = is_roots(pid);

	if (choice->found.port && choice->roots && !roots)
		return;
	if (choice->found.port && choice->roots == roots) {
		choice->several |= choice->found.port != port;
		return;
	}
	*choice = (struct choice){ .found = { port, pid }, .roots = roots };
}

static int advertisers_find(const struct listeners *list, uint64_t netns, uint16_t port,
			    struct choice *choice)
{
	struct dirents dirents;
	int pid, err = dirents_open(&dirents, AT_FDCWD, "/proc");

	if (err)
		return err;
	while ((pid = dirents_next(&dirents)) > 0) {
		uint16_t listens;

		if (!has_agents_name(pid) || agent_advertised_port(pid) != port ||
		    !is_in(pid, netns))
			continue;
		listens = port_of(list, pid);
		if (listens)
			choice_add(choice, pid, listens);
	}
	dirents_close(&dirents);
	return pid == -ENOENT ? 0 : pid;
}

int listener_port_find(int nsfd, uint16_t port, struct listener_port *ret, struct error *error)
{
	uint64_t netns = netns_inode(nsfd);
	struct listeners list = { 0 };
	struct choice choice = { 0 };
	int err;

	*ret = (struct listener_port){ 0 };
	err = listeners_list(nsfd, netns, &list, error);
	if (!err && is_listened_on(&list, port)) {
		ret->port = port;
	} else if (!err) {
		err = advertisers_find(&list, netns, port, &choice);
		if (err)
			error_set(error, err, NULL, "list processes in /proc");
		else if (!choice.several)
			*ret = choice.found;
	}
	free(list.v);
	return err;
}
