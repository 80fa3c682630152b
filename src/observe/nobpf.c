/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/nobpf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/pidfd.h"
#include "observe/netlink/proc_connector.h"
#include "observe/netlink/sockdiag_destroy.h"
#include "observe/proc/pidfd_exit.h"
#include "observe/nobpf_procs.h"

/* As the BPF programs do: launchers and helpers stand between an agent and its executors. */
enum { AGENT_GENERATIONS = 3, EXECUTOR_GENERATIONS = 1 };

/* Losses, as last reported. */
struct reported_losses {
	uint64_t connector, destroy;
};

struct nobpf {
	int epoll;
	struct multicast_socket connector; /* its descriptor -1: could not be had */
	struct sockdiag_destroy *destroy;
	struct nobpf_procs *procs;
	struct reported_losses reported;
};

/* ---- what this host gives ---- */

static void connector_open(struct nobpf *watch, const struct fact_sink *sink)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct error error = { 0 };
	char reason[640] = "";
	const char *lives = "proc connector";
	int pidfd;

	if (proc_connector_open(&watch->connector, &error) == 0 &&
	    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->connector.fd, &event) < 0) {
		error_set(&error, -errno, NULL, "wait for the proc connector");
		proc_connector_close(&watch->connector);
	}
	if (watch->connector.fd < 0) {
		lives = "";
		error_text(&error, reason, sizeof(reason));
	}
	emit_hook(sink, "fork", lives, reason, false);
	emit_hook(sink, "exec", lives, reason, false);
	pidfd = *lives ? -1 : ew_pidfd_open(getpid(), false);
	emit_hook(sink, "exit", pidfd >= 0 ? "pidfd" : lives, reason, pidfd >= 0);
	if (pidfd >= 0)
		close(pidfd);
}

static void destroy_open(struct nobpf *watch, const struct fact_sink *sink)
{
	struct error error = { 0 };
	char reason[640] = "";
	struct stat own = { 0 };
	int err = stat("/proc/self/ns/net", &own) < 0 ? -errno : 0;

	if (err)
		error_set(&error, err, "mount proc on /proc", "find our network namespace");
	else
		err = sockdiag_destroy_join(watch->destroy, own.st_ino, NETNS_OWN, &error);
	if (err)
		error_text(&error, reason, sizeof(reason));
	emit_hook(sink, "tcp-state", err ? "" : "sock_diag destroy", reason, true);
}

int nobpf_open(const struct nobpf_options *options, const struct fact_sink *sink,
	       struct nobpf **ret, struct error *error)
{
	struct nobpf *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return error_set(error, -ENOMEM, NULL, "watch without BPF");
	watch->connector.fd = -1;
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll < 0) {
		err = error_set(error, -errno, NULL, "watch without BPF");
		goto out;
	}
	watch->destroy = sockdiag_destroy_new(options->agent_port, watch->epoll);
	watch->procs = watch->destroy ? nobpf_procs_new(watch->epoll, watch->destroy) : NULL;
	if (!watch->procs) {
		err = error_set(error, -ENOMEM, NULL, "watch without BPF");
		goto out;
	}
	connector_open(watch, sink);
	destroy_open(watch, sink);
	emit_hook(sink, "signal", "", options->reason, false);
	emit_hook(sink, "messages", "", options->reason, false);
	*ret = watch;
	return 0;
out:
	nobpf_free(watch);
	return err;
}

void nobpf_free(struct nobpf *watch)
{
	if (!watch)
		return;
	proc_connector_close(&watch->connector);
	nobpf_procs_free(watch->procs);
	sockdiag_destroy_free(watch->destroy);
	if (watch->epoll >= 0)
		close(watch->epoll);
	free(watch);
}

int nobpf_fd(const struct nobpf *watch)
{
	return watch->epoll;
}

/* ---- what happens ---- */

/* Those whose pidfd is readable. A pidfd stays so until its process is settled. */
static void ended_gather(struct nobpf *watch)
{
	struct epoll_event events[64];
	int n;

	n = epoll_wait(watch->epoll, events, sizeof(events) / sizeof(*events), 0);
	for (int i = 0; i < n; i++)
		if (events[i].data.u64)
			nobpf_procs_ended(watch->procs, (int32_t)events[i].data.u64);
}

/*
 * In this order: what the connector has to say of an end is in its queue before the pidfd tells of
 * it (do_exit() in kernel/exit.c), and an executor whose end is known has not lost its link.
 */
void nobpf_dispatch(struct nobpf *watch, const struct fact_sink *sink)
{
	struct connector_event event;

	ended_gather(watch);
	while (proc_connector_next(&watch->connector, &event))
		nobpf_procs_take(watch->procs, &event, sink);
	nobpf_procs_settle(watch->procs, sink);
	sockdiag_destroy_drain(watch->destroy, sink);
}

int nobpf_add_process(struct nobpf *watch, int32_t pid, uint64_t start, enum nobpf_role role,
		      struct error *error)
{
	return nobpf_procs_add(watch->procs, pid, start,
			       role == NOBPF_ROLE_AGENT ? AGENT_GENERATIONS : EXECUTOR_GENERATIONS,
			       error);
}

bool nobpf_counters(struct nobpf *watch, bool all, const struct fact_sink *sink)
{
	struct multicast_socket *c = &watch->connector;
	uint64_t lost, seen;
	bool more;

	multicast_socket_count(c);
	more = emit_lost_changes(sink, all, "proc-connector", c->lost, c->seen + c->lost,
				 &watch->reported.connector);
	sockdiag_destroy_count(watch->destroy, &lost, &seen);
	more |= emit_lost_changes(sink, all, "sock-diag", lost, seen, &watch->reported.destroy);
	return more;
}
