/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netns_set.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "facts.h"
#include "observe/proc/procfs.h"
#include "observe/snapshot.h"
#include "observe/socket_look.h"

static bool set_has(const struct netns_set *set, uint64_t inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i] == inode)
			return true;
	return false;
}

static int set_add(struct netns_set *set, uint64_t inode)
{
	int err;

	if (!inode || set_has(set, inode))
		return 0;
	err = array_reserve(&set->items, &set->cap, set->n, sizeof(*set->items));
	if (!err)
		set->items[set->n++] = inode;
	return err;
}

/*
 * Nothing has told who listens on the agent port: every namespace is asked for its listening
 * sockets (a short list).
 */
static int add_listening(struct netns_set *set, const struct snapshot *snapshot,
			 struct error *error)
{
	struct netns_set asked = { 0 };
	const struct procfs_row *row;
	int err = 0;

	for (size_t i = 0; !err && (row = snapshot_row(snapshot, i)); i++) {
		int fd, found;

		if (!row->netns || set_has(&asked, row->netns))
			continue;
		err = set_add(&asked, row->netns);
		fd = err ? err : snapshot_netns_open(snapshot, row->netns);
		if (netns_has_ended(fd))
			continue;
		if (fd < 0) {
			err = netns_enter_failed(error, fd, row->netns);
			break;
		}
		found = socket_look_listener(fd, row->netns, snapshot_port(snapshot), error);
		close(fd);
		err = found > 0 ? set_add(set, row->netns) : found;
	}
	free(asked.items);
	return err;
}

int netns_set_fill(struct netns_set *set, const struct snapshot *snapshot, bool with_bpf,
		   struct error *error)
{
	const struct fact_socket *socket;
	const struct procfs_row *row;
	int err = set_add(set, snapshot_netns(snapshot));

	for (size_t i = 0; !err && (row = snapshot_row(snapshot, i)); i++)
		if (row->mesos)
			err = set_add(set, row->netns);
	for (size_t i = 0; !err && (socket = snapshot_socket(snapshot, i)); i++)
		err = set_add(set, socket->netns);
	if (err < 0)
		return error_set(error, err, NULL, "find the network namespaces of executors");
	return with_bpf ? 0 : add_listening(set, snapshot, error);
}

void netns_set_clear(struct netns_set *set)
{
	free(set->items);
	*set = (struct netns_set){ 0 };
}

bool netns_has_ended(int err)
{
	return err == -ENOENT || err == -EACCES;
}

int netns_enter_failed(struct error *error, int err, uint64_t netns)
{
	return error_set(error, err, NULL, "enter the network namespace %llu",
			 (unsigned long long)netns);
}
