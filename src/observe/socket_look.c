/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/socket_look.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/agent_ports.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/netlink/sockdiag.h"

static int look_in(int nsfd, uint64_t netns, const struct agent_ports *ports,
		   const struct fact_sink *sink, struct error *error)
{
	/* what a hook saw after the list began is newer */
	struct fact fact = { .type = FACT_SOCKET, .mono = now_mono() };
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	int more = sockdiag_open(nsfd, netns, ports, SOCKDIAG_REAL, &list, error) ?: 1;

	while (more > 0 && (more = sockdiag_next(list, &socket, error)) > 0) {
		fact.socket = *socket;
		fact_emit(sink, &fact);
	}
	sockdiag_close(list);
	return more;
}

static bool has(const uint64_t *items, size_t n, uint64_t item)
{
	for (size_t i = 0; i < n; i++)
		if (items[i] == item)
			return true;
	return false;
}

int socket_look(int nsfd, const int32_t *pids, size_t n, const struct agent_ports *ports,
		const struct fact_sink *sink, struct error *error)
{
	uint64_t *seen = calloc(n + 1, sizeof(*seen));
	size_t n_seen = 0;
	int err;

	if (!seen)
		return error_set(error, -ENOMEM, NULL, "look at the sockets of %zu processes", n);
	seen[n_seen++] = netns_inode(nsfd);
	err = look_in(nsfd, seen[0], ports, sink, error);
	for (size_t i = 0; !err && i < n; i++) {
		uint64_t netns;
		int fd = netns_open_pid(pids[i], &netns);

		if (fd < 0)
			continue;
		if (!has(seen, n_seen, netns)) {
			seen[n_seen++] = netns;
			err = look_in(fd, netns, ports, sink, error);
		}
		close(fd);
	}
	free(seen);
	return err;
}

/* ---- the listener ---- */

int socket_look_listener(int nsfd, uint64_t netns, uint16_t port, struct error *error)
{
	const struct agent_ports ports = { { port } };
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	bool found = false;
	int more = sockdiag_open(nsfd, netns, &ports, SOCKDIAG_LISTEN, &list, error) ?: 1;

	while (more > 0 && (more = sockdiag_next(list, &socket, error)) > 0)
		found |= socket->local.port == port;
	sockdiag_close(list);
	return more < 0 ? more : found;
}

/* ---- the owner of a listener ---- */

#define OWNED_MAX 16 /* of one port: an address each */

struct owned {
	uint64_t inodes[OWNED_MAX];
	size_t n;
};

static bool listens_at(const struct fact_socket *socket, const struct ew_addr *at)
{
	return socket->local.port == at->port && socket->inode &&
	       (addr_is_any(&socket->local) || addr_ip_equal(&socket->local, at));
}

static int listeners_of(int nsfd, uint64_t netns, const struct ew_addr *at, struct owned *owned,
			struct error *error)
{
	const struct agent_ports ports = { { at->port } };
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	int more = sockdiag_open(nsfd, netns, &ports, SOCKDIAG_LISTEN, &list, error) ?: 1;

	while (more > 0 && (more = sockdiag_next(list, &socket, error)) > 0)
		if (listens_at(socket, at) && owned->n < OWNED_MAX)
			owned->inodes[owned->n++] = socket->inode;
	sockdiag_close(list);
	return more;
}

static bool holds(int fds, const char *name, const struct owned *owned)
{
	uint64_t inode;

	return proc_fd_socket(fds, name, &inode) == 0 && inode &&
	       has(owned->inodes, owned->n, inode);
}

static int holds_any(int32_t pid, const struct owned *owned)
{
	char path[PROC_PATH_MAX];
	DIR *fds = opendir(proc_path(path, pid, 0, "fd"));
	struct dirent *entry;
	bool found = false;

	if (!fds)
		return -errno;
	while (!found && (entry = readdir(fds)))
		found = entry->d_name[0] != '.' && holds(dirfd(fds), entry->d_name, owned);
	closedir(fds);
	return found;
}

int socket_look_owned(int32_t pid, const struct ew_addr *at, struct error *error)
{
	struct owned owned = { .n = 0 };
	uint64_t netns;
	int fd = netns_open_pid(pid, &netns), err;

	if (fd < 0)
		return error_set(error, fd, "run as root",
				 "open the network namespace of process "
				 "%d",
				 pid);
	err = listeners_of(fd, netns, at, &owned, error);
	close(fd);
	return err < 0 ? err : holds_any(pid, &owned);
}
