/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/netlink/sockdiag.h"
#include "observe/proc/fd_owners.h"
#include "observe/proc/procfs.h"
#include "observe/netns_set.h"
#include "observe/snapshot.h"

enum {
	PROCESSES_A_STEP = 16, /* whose descriptors are read */
	SOCKETS_A_STEP = 256,
};

struct sockets {
	struct snapshot *snapshot;
	bool with_bpf;
	struct netns_set relevant;

	struct fd_owners owners;
	size_t next_row; /* whose descriptors are read next */
	bool owners_done;
	struct {
		int32_t first;
		size_t n;
		int err; /* of the first */
	} denied;

	/* MPTCP: BPF shows TCP sockets that descriptors refer to. These carry others. */
	struct fact_socket *carriers;
	size_t n_carriers, cap_carriers;
	bool everyone; /* the descriptors of all processes are read, for carriers */

	size_t next_netns; /* of relevant, to be listed next */
	struct sockdiag *list;
	bool listeners; /* the list is the second of its namespace */
	int nsfd;
	int64_t mono; /* when the list began: what a hook saw after that is newer */
};

int sockets_new(struct snapshot *snapshot, bool with_bpf, struct sockets **ret, struct error *error)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));
	int err;

	if (!sockets)
		return error_set(error, -ENOMEM, NULL, "list sockets");
	sockets->snapshot = snapshot;
	sockets->with_bpf = with_bpf;
	sockets->nsfd = -1;
	snapshot_sort(snapshot);
	err = netns_set_fill(&sockets->relevant, snapshot, with_bpf, error);
	if (err < 0) {
		sockets_free(sockets);
		return err;
	}
	*ret = sockets;
	return 0;
}

static void list_end(struct sockets *sockets)
{
	sockdiag_close(sockets->list);
	sockets->list = NULL;
}

static void netns_leave(struct sockets *sockets)
{
	list_end(sockets);
	if (sockets->nsfd >= 0)
		close(sockets->nsfd);
	sockets->nsfd = -1;
}

void sockets_free(struct sockets *sockets)
{
	if (!sockets)
		return;
	netns_leave(sockets);
	fd_owners_clear(&sockets->owners);
	netns_set_clear(&sockets->relevant);
	free(sockets->carriers);
	free(sockets);
}

/* ---- descriptors ---- */

/* The start time is known already of processes with a FACT_PROCESS. 0 or a negative errno. */
static int start_of(const struct sockets *sockets, int32_t pid, uint64_t *start)
{
	const struct snapshot_process *process = snapshot_process_find(sockets->snapshot, pid);
	struct proc_stat stat;
	int err = process ? 0 : proc_stat_of(pid, &stat);

	if (!err)
		*start = process ? process->start : stat.start;
	return err;
}

static const struct snapshot_process *executor_or_task(const struct sockets *sockets, int32_t pid)
{
	const struct snapshot_process *process = snapshot_process_find(sockets->snapshot, pid);

	return process && process->mesos ? process : NULL;
}

/* Whether the descriptors that matter of this process are known from BPF. */
static bool may_skip(const struct sockets *sockets, int32_t pid)
{
	const struct snapshot_process *process = executor_or_task(sockets, pid);

	if (!sockets->with_bpf || sockets->everyone)
		return false;
	return !process || snapshot_run_is_plain(sockets->snapshot, process->run);
}

/* An executor's verdict depends on its descriptors: one fact each. Init is out of reach at times.
 */
static void note_denied(struct sockets *sockets, int32_t pid, int err, const struct fact_sink *sink)
{
	if (pid == 1)
		return;
	if (executor_or_task(sockets, pid)) {
		emit_unread(sink, pid, 0, err, "/proc/%d/fd", pid);
	} else if (sockets->denied.n++ == 0) {
		sockets->denied.first = pid;
		sockets->denied.err = err;
	}
}

static void emit_denied(const struct sockets *sockets, const struct fact_sink *sink)
{
	size_t n = sockets->denied.n;
	int32_t first = sockets->denied.first;

	if (n)
		emit_unread(sink, n == 1 ? first : 0, 0, sockets->denied.err,
			    "/proc/%d/fd and those of %zu more processes", first, n - 1);
}

static int owners_step(struct sockets *sockets, const struct fact_sink *sink, struct error *error)
{
	for (int i = 0; i < PROCESSES_A_STEP; i++) {
		const struct procfs_row *row = snapshot_row(sockets->snapshot, sockets->next_row++);
		uint64_t start;
		int err;

		if (!row) {
			emit_denied(sockets, sink);
			fd_owners_sort(&sockets->owners);
			sockets->owners_done = true;
			return 1;
		}
		if (may_skip(sockets, row->pid))
			continue;
		err = start_of(sockets, row->pid, &start);
		if (!err)
			err = fd_owners_add(&sockets->owners, row->pid, start);
		if (err == -ENOMEM)
			return error_set(error, err, NULL, "list the descriptors of sockets");
		if (err < 0 && !proc_is_gone(err))
			note_denied(sockets, row->pid, err, sink);
	}
	return 1;
}

/* ---- sockets ---- */

static bool owned_by_mesos(const struct sockets *sockets, const struct fd_owner *owners, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (executor_or_task(sockets, owners[i].pid))
			return true;
	return false;
}

static void emit_holders(const struct sockets *sockets, uint64_t cookie,
			 const struct fd_owner *owners, size_t n, const struct fact_sink *sink)
{
	for (size_t i = 0; i < n; i++) {
		struct fact fact = { .type = FACT_HOLDER, .mono = sockets->mono };

		fact.holder.cookie = cookie;
		fact.holder.pid = owners[i].pid;
		fact.holder.start = owners[i].start;
		fact.holder.fd = owners[i].fd;
		fact_emit(sink, &fact);
	}
}

static int carrier_add(struct sockets *sockets, const struct fact_socket *socket)
{
	int err = array_reserve(&sockets->carriers, &sockets->cap_carriers, sockets->n_carriers,
				sizeof(*socket));

	if (!err)
		sockets->carriers[sockets->n_carriers++] = *socket;
	return err;
}

static int emit_socket(struct sockets *sockets, const struct fact_socket *socket,
		       const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_SOCKET, .mono = sockets->mono };
	bool agents = snapshot_is_agents(sockets->snapshot, socket);
	size_t n = 0;
	const struct fd_owner *owners = fd_owners_find(&sockets->owners, socket->inode, &n);

	if (!agents && !owned_by_mesos(sockets, owners, n))
		return 0;
	fact.socket = *socket;
	fact_emit(sink, &fact);
	if (!sockets->with_bpf || !agents)
		emit_holders(sockets, socket->cookie, owners, n, sink);
	else if (socket->mptcp && socket->inode)
		return carrier_add(sockets, socket);
	return 0;
}

/* The kernel gives a subflow the inode of the MPTCP socket (mptcp_subflow_create_socket()). */
static void emit_carriers(struct sockets *sockets, const struct fact_sink *sink)
{
	for (size_t i = 0; i < sockets->n_carriers; i++) {
		const struct fact_socket *carrier = &sockets->carriers[i];
		size_t n = 0;
		const struct fd_owner *owners =
			fd_owners_find(&sockets->owners, carrier->inode, &n);

		emit_holders(sockets, carrier->cookie, owners, n, sink);
	}
	sockets->n_carriers = 0;
}

/* Opens the next list: all sockets of a namespace or, with BPF, those with a port of the agent.
 */
static int list_begin(struct sockets *sockets, struct error *error)
{
	uint64_t netns = sockets->relevant.items[sockets->next_netns];
	const struct agent_ports *ports =
		sockets->with_bpf && !sockets->listeners ? snapshot_ports(sockets->snapshot) : NULL;

	if (sockets->nsfd < 0) {
		sockets->nsfd = snapshot_netns_open(sockets->snapshot, netns);
		sockets->mono = now_mono();
	}
	if (netns_has_ended(sockets->nsfd)) {
		sockets->next_netns++;
		return 1;
	}
	if (sockets->nsfd < 0)
		return netns_enter_failed(error, sockets->nsfd, netns);
	return sockdiag_open(sockets->nsfd, netns, ports,
			     sockets->listeners ? SOCKDIAG_LISTEN : SOCKDIAG_REAL, &sockets->list,
			     error)
		       ?: 1;
}

/* With BPF, the second list of a namespace has the listening sockets of executors, if any is open.
 */
static void list_next(struct sockets *sockets)
{
	list_end(sockets);
	sockets->listeners = sockets->with_bpf && sockets->owners.n && !sockets->listeners;
	if (sockets->listeners)
		return;
	netns_leave(sockets);
	sockets->next_netns++;
}

static int list_step(struct sockets *sockets, const struct fact_sink *sink, struct error *error)
{
	const struct fact_socket *socket;
	int more = 1;

	if (!sockets->list)
		return list_begin(sockets, error);
	for (int i = 0; i < SOCKETS_A_STEP && more > 0; i++) {
		more = sockdiag_next(sockets->list, &socket, error);
		if (more > 0 && emit_socket(sockets, socket, sink) < 0)
			more = error_set(error, -ENOMEM, NULL, "list sockets");
	}
	if (!more)
		list_next(sockets);
	return more < 0 ? more : 1;
}

/* Descriptors once more, this time those of all processes. */
static int everyone_begin(struct sockets *sockets)
{
	fd_owners_clear(&sockets->owners);
	sockets->everyone = true;
	sockets->owners_done = false;
	sockets->next_row = 0;
	sockets->denied.n = 0;
	return 1;
}

int sockets_step(struct sockets *sockets, const struct fact_sink *sink, struct error *error)
{
	if (!sockets->owners_done)
		return owners_step(sockets, sink, error);
	if (sockets->next_netns < sockets->relevant.n)
		return list_step(sockets, sink, error);
	if (sockets->n_carriers && !sockets->everyone)
		return everyone_begin(sockets);
	emit_carriers(sockets, sink);
	snapshot_sort(sockets->snapshot);
	if (snapshot_is_broken(sockets->snapshot))
		return error_set(error, -ENOMEM, NULL, "list sockets");
	return 0;
}
