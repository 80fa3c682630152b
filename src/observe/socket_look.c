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

struct look {
	const struct fact_sink *sink;
	int64_t mono; /* when the list began: what a hook saw after that is newer */
};

static void each(void *ctx, const struct fact_socket *socket)
{
	const struct look *look = ctx;
	struct fact fact = { .type = FACT_SOCKET, .mono = look->mono, .socket = *socket };

	fact_emit(look->sink, &fact);
}

static int look_in(int nsfd, uint64_t netns, const struct agent_ports *ports,
		   const struct fact_sink *sink, struct error *error)
{
	struct look look = { sink, now_mono() };

	return sockdiag_dump(nsfd, netns, ports, SOCKDIAG_REAL, each, &look, error);
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

struct listener {
	uint16_t port;
	bool found;
};

static void each_listener(void *ctx, const struct fact_socket *socket)
{
	struct listener *listener = ctx;

	listener->found |= socket->local.port == listener->port;
}

int socket_look_listener(int nsfd, uint64_t netns, uint16_t port, struct error *error)
{
	const struct agent_ports ports = { { port } };
	struct listener listener = { .port = port };
	int err = sockdiag_dump(nsfd, netns, &ports, SOCKDIAG_LISTEN, each_listener, &listener,
				error);

	return err < 0 ? err : listener.found;
}

/* ---- the owner of a listener ---- */

#define OWNED_MAX 16 /* of one port: an address each */

struct owned {
	const struct ew_addr *at;
	uint64_t inodes[OWNED_MAX];
	size_t n;
};

static void each_owned(void *ctx, const struct fact_socket *socket)
{
	struct owned *owned = ctx;

	if (socket->local.port == owned->at->port && socket->inode && owned->n < OWNED_MAX &&
	    (addr_is_any(&socket->local) || addr_ip_equal(&socket->local, owned->at)))
		owned->inodes[owned->n++] = socket->inode;
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
	const struct agent_ports ports = { { at->port } };
	struct owned owned = { .at = at };
	uint64_t netns;
	int fd = netns_open_pid(pid, &netns), err;

	if (fd < 0)
		return error_set(error, fd, "run as root",
				 "open the network namespace of process "
				 "%d",
				 pid);
	err = sockdiag_dump(fd, netns, &ports, SOCKDIAG_LISTEN, each_owned, &owned, error);
	close(fd);
	return err < 0 ? err : holds_any(pid, &owned);
}
