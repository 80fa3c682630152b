/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/link_way.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/error.h"
#include "base/netns.h"
#include "observe/netlink/next_hop.h"
#include "observe/proc/procfs.h"
#include "observe/snapshot.h"

/* Executors of one namespace have the same agent: its answer is kept until another is asked for. */
struct answer {
	uint64_t netns; /* 0: none */
	struct ew_addr from, to;
	uint64_t next;
	int err;
	struct error error;
};

struct open_netns {
	uint64_t inode;
	int fd;
};

struct link_way {
	const struct snapshot *snapshot;
	uint64_t agents;
	struct open_netns *items; /* the agent's first (not ours to close), then those found */
	size_t n, cap;
	struct answer last;
};

static int way_add(struct link_way *way, uint64_t inode, int fd)
{
	int err = array_reserve(&way->items, &way->cap, way->n, sizeof(*way->items));

	if (!err)
		way->items[way->n++] = (struct open_netns){ inode, fd };
	return err;
}

struct link_way *link_way_new(const struct snapshot *snapshot, int agents, uint64_t netns)
{
	struct link_way *way = calloc(1, sizeof(*way));

	if (!way)
		return NULL;
	way->snapshot = snapshot;
	way->agents = netns;
	if (way_add(way, netns, agents) == 0)
		return way;
	free(way);
	return NULL;
}

void link_way_free(struct link_way *way)
{
	if (!way)
		return;
	for (size_t i = 1; i < way->n; i++)
		close(way->items[i].fd);
	free(way->items);
	free(way);
}

int link_way_open(const struct link_way *way, uint64_t netns)
{
	for (size_t i = 0; i < way->n; i++) {
		int fd = way->items[i].inode == netns ? fcntl(way->items[i].fd, F_DUPFD_CLOEXEC, 0)
						      : -ENOENT;

		if (fd != -ENOENT)
			return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

static bool is_known(const struct link_way *way, uint64_t inode)
{
	for (size_t i = 0; i < way->n; i++)
		if (way->items[i].inode == inode)
			return true;
	return false;
}

/* Takes the descriptor over: kept if it is the namespace looked for, else closed. */
static bool try_one(struct link_way *way, struct next_hop *hop, int32_t id, int fd, uint64_t inode)
{
	if (fd < 0)
		return false;
	if (!is_known(way, inode) && next_hop_is(hop, id, fd) == 1 && way_add(way, inode, fd) == 0)
		return true;
	close(fd);
	return false;
}

/* By the processes of the host: each namespace once where they follow each other. */
static bool try_processes(struct link_way *way, struct next_hop *hop, int32_t id)
{
	const struct procfs_row *row;
	uint64_t last = 0;

	for (size_t i = 0; (row = snapshot_row(way->snapshot, i)); i++) {
		uint64_t inode = 0;
		int fd;

		if (row->netns && (row->netns == last || is_known(way, row->netns)))
			continue;
		last = row->netns;
		fd = netns_open_pid(row->pid, &inode);
		if (try_one(way, hop, id, fd, inode))
			return true;
	}
	return false;
}

/* By names: ip-netns(8), docker. */
static bool try_names(struct link_way *way, struct next_hop *hop, int32_t id)
{
	static const char *const directories[] = { "/run/netns", "/var/run/docker/netns" };
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(directories) / sizeof(*directories); i++) {
		DIR *dir = opendir(directories[i]);
		struct dirent *entry;

		while (dir && !found && (entry = readdir(dir))) {
			char path[PATH_MAX];
			uint64_t inode = 0;

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", directories[i], entry->d_name);
			found = try_one(way, hop, id, netns_open_path(path, &inode), inode);
		}
		if (dir)
			closedir(dir);
	}
	return found;
}

/* Number of the namespace in items, or a negative errno. */
static int find(struct link_way *way, struct next_hop *hop, const struct way_out *out,
		struct error *error)
{
	for (size_t i = 0; i < way->n; i++) {
		int is = next_hop_is(hop, out->netns_id, way->items[i].fd);

		if (is < 0)
			return error_set(error, is, "run as root",
					 "tell where the device %s leads to", out->device);
		if (is)
			return (int)i;
	}
	if (try_processes(way, hop, out->netns_id) || try_names(way, hop, out->netns_id))
		return (int)way->n - 1;
	return error_set(error, -EXDEV, NULL,
			 "packets leave by the device %s to a network namespace that no process is "
			 "in and that has no name",
			 out->device);
}

static int next_find(struct link_way *way, int nsfd, uint64_t netns, const struct ew_addr *from,
		     const struct ew_addr *to, uint64_t *next, struct error *error)
{
	struct next_hop *hop = NULL;
	struct way_out out;
	int at = next_hop_open(nsfd, &hop, error);

	if (!at)
		at = next_hop_find(hop, from, to, &out, error);
	if (!at && out.kind == WAY_LOCAL) {
		*next = netns;
		next_hop_close(hop);
		return 0;
	}
	if (!at && out.kind == WAY_UNKNOWN)
		at = error_set(
			error, -EXDEV, NULL,
			"packets leave by the device %s, whose other end is not known: it is "
			"no veth or netkit device with a peer in another network namespace",
			out.device);
	else if (!at)
		at = find(way, hop, &out, error);
	next_hop_close(hop);
	if (at < 0)
		return at;
	*next = way->items[at].inode;
	return 0;
}

int link_way_next(struct link_way *way, int nsfd, uint64_t netns, const struct ew_addr *from,
		  const struct ew_addr *to, uint64_t *next, struct error *error)
{
	const struct ew_addr by = from ? *from : (struct ew_addr){ 0 };
	struct answer *last = &way->last;

	if (last->netns != netns || !addr_ip_equal(&last->from, &by) ||
	    !addr_ip_equal(&last->to, to)) {
		*last = (struct answer){ .netns = netns, .from = by, .to = *to };
		last->err = next_find(way, nsfd, netns, from, to, &last->next, &last->error);
	}
	if (last->err && error)
		*error = last->error;
	*next = last->next;
	return last->err;
}
