/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "base/array.h"
#include "observe/proc/fd_owners.h"
#include "observe/proc/procfs.h"
#include "base/emit.h"
#include "observe/snapshot.h"
#include "observe/netlink/sockdiag.h"

struct namespaces {
	uint64_t *items;
	size_t n;
	size_t cap;
};

struct pass {
	struct snapshot *snapshot;
	struct fd_owners holders;
	struct namespaces relevant;
	bool seeded;
	int64_t mono; /* when the dump began: what a hook saw after that is newer */
	bool listens; /* of a dump: something listens on the agent port */
};

static bool namespaces_has(const struct namespaces *set, uint64_t inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i] == inode)
			return true;
	return false;
}

static int namespaces_add(struct namespaces *set, uint64_t inode)
{
	int err;

	if (!inode || namespaces_has(set, inode))
		return 0;
	err = array_reserve(&set->items, &set->cap, set->n, sizeof(*set->items));
	if (!err)
		set->items[set->n++] = inode;
	return err;
}

static void note_listener(void *ctx, const struct fact_socket *socket)
{
	struct pass *pass = ctx;

	pass->listens |= socket->local.port == pass->snapshot->port;
}

/*
 * Nobody has told who listens on the agent port: every namespace is asked for its listening sockets
 * (a short list). One that cannot be entered ends with its last process: no loss.
 */
static int add_listening(struct pass *pass, struct error *error)
{
	struct namespaces asked = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < pass->snapshot->n_rows; i++) {
		uint64_t netns = pass->snapshot->rows[i].netns;
		int fd;

		if (!netns || namespaces_has(&asked, netns))
			continue;
		err = namespaces_add(&asked, netns);
		fd = err ? -1 : snapshot_netns_open(pass->snapshot, netns);
		if (fd < 0)
			continue;
		pass->listens = false;
		err = sockdiag_dump(fd, netns, pass->snapshot->port, SOCKDIAG_LISTEN, note_listener,
				    pass, error);
		close(fd);
		if (!err && pass->listens)
			err = namespaces_add(&pass->relevant, netns);
	}
	free(asked.items);
	return err;
}

/* Ours, those of processes with a Mesos environment, those of sockets that are known already. */
static int find_relevant(struct pass *pass, struct error *error)
{
	const struct snapshot *snapshot = pass->snapshot;
	int err = namespaces_add(&pass->relevant, snapshot->own_netns);

	for (size_t i = 0; !err && i < snapshot->n_rows; i++)
		if (snapshot->rows[i].mesos)
			err = namespaces_add(&pass->relevant, snapshot->rows[i].netns);
	for (size_t i = 0; !err && i < snapshot->n_sockets; i++)
		err = namespaces_add(&pass->relevant, snapshot->sockets[i].netns);
	if (err < 0)
		return error_set(error, err, NULL, "find the network namespaces of executors");
	return pass->seeded ? 0 : add_listening(pass, error);
}

static bool held_by_mesos(const struct snapshot *snapshot, const struct fd_owner *holders, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct snapshot_process *process =
			snapshot_process_find(snapshot, holders[i].pid);

		if (process && process->mesos)
			return true;
	}
	return false;
}

static void emit_socket(void *ctx, const struct fact_socket *socket)
{
	struct pass *pass = ctx;
	struct fact fact = { .type = FACT_SOCKET, .mono = pass->mono };
	bool agents = snapshot_is_agents(pass->snapshot, socket);
	size_t n = 0;
	const struct fd_owner *holders;

	snapshot_pause(pass->snapshot);
	holders = fd_owners_find(&pass->holders, socket->inode, &n);
	if (!agents && !held_by_mesos(pass->snapshot, holders, n))
		return;
	fact.socket = *socket;
	fact_emit(&pass->snapshot->tee, &fact);
	if (pass->seeded && agents)
		return;
	for (size_t i = 0; i < n; i++) {
		fact = (struct fact){ .type = FACT_HOLDER, .mono = pass->mono };
		fact.holder.cookie = socket->cookie;
		fact.holder.pid = holders[i].pid;
		fact.holder.start = holders[i].start;
		fact.holder.fd = holders[i].fd;
		fact_emit(&pass->snapshot->tee, &fact);
	}
}

/* Known already of those whose FACT_PROCESS was put. */
static uint64_t start_of(struct procfs *procfs, const struct snapshot *snapshot, int32_t pid)
{
	const struct snapshot_process *process = snapshot_process_find(snapshot, pid);

	return process ? process->start : procfs_start(procfs, pid);
}

/* Whose descriptors need not be read, since somebody has put those that matter. */
static bool may_skip(const struct pass *pass, int32_t pid)
{
	const struct snapshot_process *process = snapshot_process_find(pass->snapshot, pid);

	if (!pass->seeded)
		return false;
	return !process || !process->mesos || snapshot_run_is_plain(pass->snapshot, process->run);
}

/* Whether it has a link decides what becomes of it: named one by one where that is not known. */
static bool is_executor(const struct snapshot *snapshot, int32_t pid)
{
	const struct snapshot_process *process = snapshot_process_find(snapshot, pid);

	return process && process->mesos;
}

static int read_holders(struct procfs *procfs, struct pass *pass, struct error *error)
{
	struct snapshot *snapshot = pass->snapshot;
	int32_t denied = 0;
	int why_denied = 0;
	size_t n_denied = 0;
	int err = 0;

	for (size_t i = 0; err != -ENOMEM && i < snapshot->n_rows; i++) {
		int32_t pid = snapshot->rows[i].pid;
		uint64_t start;

		snapshot_pause(snapshot);
		if (may_skip(pass, pid))
			continue;
		start = start_of(procfs, snapshot, pid);
		err = start ? fd_owners_add(&pass->holders, pid, start) : 0;
		if (err >= 0 || err == -ENOMEM || pid == 1)
			continue;
		if (is_executor(snapshot, pid)) {
			emit_unread(&snapshot->tee, pid, 0, err, "/proc/%d/fd", pid);
		} else if (n_denied++ == 0) {
			denied = pid;
			why_denied = err;
		}
	}
	if (err == -ENOMEM)
		return error_set(error, err, NULL, "read who holds which socket");
	if (n_denied)
		emit_unread(&snapshot->tee, n_denied == 1 ? denied : 0, 0, why_denied,
			    "/proc/%d/fd and those of %zu more processes", denied, n_denied - 1);
	fd_owners_sort(&pass->holders);
	return 0;
}

static int dump_namespace(struct pass *pass, uint64_t netns, struct error *error)
{
	int fd = snapshot_netns_open(pass->snapshot, netns);
	uint16_t port = pass->seeded ? pass->snapshot->port : 0;
	int err;

	if (fd < 0)
		return 0; /* it ended with its last process */
	pass->mono = now_mono();
	err = sockdiag_dump(fd, netns, port, SOCKDIAG_REAL, emit_socket, pass, error);
	if (!err && pass->seeded && pass->holders.n)
		err = sockdiag_dump(fd, netns, 0, SOCKDIAG_LISTEN, emit_socket, pass, error);
	close(fd);
	return err;
}

int sockets_emit(struct procfs *procfs, struct snapshot *snapshot, bool seeded, struct error *error)
{
	struct pass pass = { .snapshot = snapshot, .seeded = seeded };
	int err;

	snapshot_sort(snapshot);
	err = find_relevant(&pass, error);
	if (!err)
		err = read_holders(procfs, &pass, error);
	for (size_t i = 0; !err && i < pass.relevant.n; i++)
		err = dump_namespace(&pass, pass.relevant.items[i], error);
	if (!err && snapshot->broken)
		err = error_set(error, -ENOMEM, NULL, "list sockets");
	snapshot_sort(snapshot);
	fd_owners_clear(&pass.holders);
	free(pass.relevant.items);
	return err;
}
