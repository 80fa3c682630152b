/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/nobpf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/pidfd.h"
#include "observe/netlink/proc_connector.h"
#include "observe/netlink/sockdiag_destroy.h"
#include "observe/proc/pidfd_exit.h"
#include "observe/nobpf_procs.h"

/* As the BPF programs do: there are launchers between an agent and its executors. */
enum { AGENT_GENERATIONS = 3, EXECUTOR_GENERATIONS = 1 };

/* Losses, as last reported. */
struct reported_losses {
	uint64_t connector, destroy;
};

struct nobpf {
	int epoll;
	struct multicast_socket connector; /* descriptor -1: not available */
	struct sockdiag_destroy *destroy;
	struct nobpf_procs *procs;
	struct reported_losses reported;
};

/* ---- what this host offers ---- */

static void connector_open(struct nobpf *nobpf, const struct fact_sink *sink)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct error error = { 0 };
	char reason[640] = "";
	const char *program = "proc connector";
	int pidfd;

	if (proc_connector_open(&nobpf->connector, &error) == 0 &&
	    epoll_ctl(nobpf->epoll, EPOLL_CTL_ADD, nobpf->connector.fd, &event) < 0) {
		error_set(&error, -errno, NULL, "wait for the proc connector");
		proc_connector_close(&nobpf->connector);
	}
	if (nobpf->connector.fd < 0) {
		program = "";
		error_text(&error, reason, sizeof(reason));
	}
	emit_hook(sink, "fork", program, reason, false);
	emit_hook(sink, "exec", program, reason, false);
	pidfd = *program ? -1 : ew_pidfd_open(getpid(), false);
	emit_hook(sink, "exit", pidfd >= 0 ? "pidfd" : program, reason, pidfd >= 0);
	if (pidfd >= 0)
		close(pidfd);
}

static void destroy_open(struct nobpf *nobpf, const struct fact_sink *sink)
{
	struct error error = { 0 };
	char reason[640] = "";
	uint64_t own = netns_inode(NETNS_OWN);
	int err = own ? sockdiag_destroy_join(nobpf->destroy, own, NETNS_OWN, &error)
		      : error_set(&error, -ENOENT, "mount proc on /proc",
				  "find our network namespace");

	if (err)
		error_text(&error, reason, sizeof(reason));
	emit_hook(sink, "tcp-state", err ? "" : "sock_diag destroy", reason, true);
}

int nobpf_open(const struct nobpf_options *options, const struct fact_sink *sink,
	       struct nobpf **ret, struct error *error)
{
	struct nobpf *nobpf = calloc(1, sizeof(*nobpf));
	int err;

	if (!nobpf)
		return error_set(error, -ENOMEM, NULL, "watch without BPF");
	nobpf->connector.fd = -1;
	nobpf->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (nobpf->epoll < 0) {
		err = error_set(error, -errno, NULL, "watch without BPF");
		goto out;
	}
	nobpf->destroy = sockdiag_destroy_new(options->agent_port, nobpf->epoll);
	nobpf->procs = nobpf->destroy ? nobpf_procs_new(nobpf->epoll, nobpf->destroy) : NULL;
	if (!nobpf->procs) {
		err = error_set(error, -ENOMEM, NULL, "watch without BPF");
		goto out;
	}
	connector_open(nobpf, sink);
	destroy_open(nobpf, sink);
	emit_hook(sink, "signal", "", options->reason, false);
	emit_hook(sink, "messages", "", options->reason, false);
	*ret = nobpf;
	return 0;
out:
	nobpf_free(nobpf);
	return err;
}

int nobpf_set_ports(struct nobpf *nobpf, const struct agent_ports *ports)
{
	return sockdiag_destroy_set_ports(nobpf->destroy, ports);
}

void nobpf_free(struct nobpf *nobpf)
{
	if (!nobpf)
		return;
	proc_connector_close(&nobpf->connector);
	nobpf_procs_free(nobpf->procs);
	sockdiag_destroy_free(nobpf->destroy);
	if (nobpf->epoll >= 0)
		close(nobpf->epoll);
	free(nobpf);
}

int nobpf_fd(const struct nobpf *nobpf)
{
	return nobpf->epoll;
}

/* ---- what happens ---- */

/* Notes the processes whose pidfd is readable: it stays so until the process is settled. */
static void ended_collect(struct nobpf *nobpf)
{
	struct epoll_event events[64];
	int n;

	n = epoll_wait(nobpf->epoll, events, sizeof(events) / sizeof(*events), 0);
	for (int i = 0; i < n; i++)
		if (events[i].data.u64)
			nobpf_procs_ended(nobpf->procs, (int32_t)events[i].data.u64);
}

/*
 * The order matters: a link that ends after its executor's exit was not lost. The connector's event
 * of an exit is queued just after the pidfd becomes readable (do_exit() in kernel/exit.c:
 * exit_notify(), then proc_exit_connector()).
 */
void nobpf_dispatch(struct nobpf *nobpf, const struct fact_sink *sink)
{
	struct connector_event event;

	ended_collect(nobpf);
	while (proc_connector_next(&nobpf->connector, &event))
		nobpf_procs_consume(nobpf->procs, &event, sink);
	nobpf_procs_settle(nobpf->procs, sink);
	sockdiag_destroy_drain(nobpf->destroy, sink);
}

int nobpf_add_process(struct nobpf *nobpf, int32_t pid, uint64_t start, enum nobpf_role role,
		      struct error *error)
{
	return nobpf_procs_add(nobpf->procs, pid, start,
			       role == NOBPF_ROLE_AGENT ? AGENT_GENERATIONS : EXECUTOR_GENERATIONS,
			       error);
}

bool nobpf_counters(struct nobpf *nobpf, bool all, const struct fact_sink *sink)
{
	struct multicast_socket *c = &nobpf->connector;
	uint64_t lost, seen;
	bool more;

	multicast_socket_count(c);
	more = emit_lost_changes(sink, all, "proc-connector", c->lost, c->seen + c->lost,
				 &nobpf->reported.connector);
	sockdiag_destroy_count(nobpf->destroy, &lost, &seen);
	more |= emit_lost_changes(sink, all, "sock-diag", lost, seen, &nobpf->reported.destroy);
	return more;
}
