/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/netns.h"
#include "observe/plain_connector.h"
#include "observe/plain_destroy.h"
#include "observe/plain_pidfd.h"
#include "observe/plain_procs.h"

/* As the BPF programs do: launchers and helpers stand between an agent and its executors. */
enum { AGENT_GENERATIONS = 3, EXECUTOR_GENERATIONS = 1 };

struct told {
	uint64_t connector, destroy;
};

struct plain_watch {
	int epoll;
	struct plain_socket connector; /* its descriptor -1: could not be had */
	struct plain_destroy *destroy;
	struct plain_procs *procs;
	struct told told;
};

/* ---- what this host gives ---- */

static void slot_put(const struct fact_sink *sink, const char *slot, const char *program,
		     const char *reason, bool best_effort)
{
	struct fact fact = { .type = FACT_SLOT,
			     .mono = now_mono(),
			     .slot = { .slot = slot,
				       .program = program,
				       .reason = reason ? reason : "",
				       .best_effort = best_effort } };

	fact_put(sink, &fact);
}

static void connector_open(struct plain_watch *watch, const struct fact_sink *sink)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct fail why = { 0 };
	char reason[640] = "";
	const char *lives = "proc connector";
	int pidfd;

	if (plain_connector_open(&watch->connector, &why) == 0 &&
	    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->connector.fd, &event) < 0) {
		fail_set(&why, -errno, NULL, "wait for the proc connector");
		plain_connector_close(&watch->connector);
	}
	if (watch->connector.fd < 0) {
		lives = "";
		fail_text(&why, reason, sizeof(reason));
	}
	slot_put(sink, "fork", lives, reason, false);
	slot_put(sink, "exec", lives, reason, false);
	pidfd = *lives ? -1 : plain_pidfd_open(getpid());
	slot_put(sink, "exit", pidfd >= 0 ? "pidfd" : lives, reason, pidfd >= 0);
	if (pidfd >= 0)
		close(pidfd);
}

static void destroy_open(struct plain_watch *watch, const struct fact_sink *sink)
{
	struct fail why = { 0 };
	char reason[640] = "";
	struct stat own = { 0 };
	int err = stat("/proc/self/ns/net", &own) < 0 ? -errno : 0;

	if (err)
		fail_set(&why, err, "mount proc on /proc", "find our network namespace");
	else
		err = plain_destroy_join(watch->destroy, own.st_ino, NETNS_OWN, &why);
	if (err)
		fail_text(&why, reason, sizeof(reason));
	slot_put(sink, "tcp-state", err ? "" : "sock_diag destroy", reason, true);
}

int plain_watch_open(const struct plain_watch_options *options, const struct fact_sink *sink,
		     struct plain_watch **ret, struct fail *why)
{
	struct plain_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return fail_set(why, -ENOMEM, NULL, "watch without BPF");
	watch->connector.fd = -1;
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll < 0) {
		err = fail_set(why, -errno, NULL, "watch without BPF");
		goto out;
	}
	watch->destroy = plain_destroy_new(options->agent_port, watch->epoll);
	watch->procs = watch->destroy ? plain_procs_new(watch->epoll, watch->destroy) : NULL;
	if (!watch->procs) {
		err = fail_set(why, -ENOMEM, NULL, "watch without BPF");
		goto out;
	}
	connector_open(watch, sink);
	destroy_open(watch, sink);
	slot_put(sink, "signal", "", options->reason, false);
	slot_put(sink, "messages", "", options->reason, false);
	*ret = watch;
	return 0;
out:
	plain_watch_free(watch);
	return err;
}

void plain_watch_free(struct plain_watch *watch)
{
	if (!watch)
		return;
	plain_connector_close(&watch->connector);
	plain_procs_free(watch->procs);
	plain_destroy_free(watch->destroy);
	if (watch->epoll >= 0)
		close(watch->epoll);
	free(watch);
}

int plain_watch_fd(const struct plain_watch *watch)
{
	return watch->epoll;
}

/* ---- what happens ---- */

/* Those whose pidfd is readable. A pidfd stays so until its process is settled. */
static void ended_gather(struct plain_watch *watch)
{
	struct epoll_event events[64];
	int n;

	n = epoll_wait(watch->epoll, events, sizeof(events) / sizeof(*events), 0);
	for (int i = 0; i < n; i++)
		if (events[i].data.u64)
			plain_procs_ended(watch->procs, (int32_t)events[i].data.u64);
}

/*
 * In this order: what the connector has to say of an end is in its queue before the pidfd tells of
 * it (do_exit() in kernel/exit.c), and an executor whose end is known has not lost its link.
 */
void plain_watch_drain(struct plain_watch *watch, const struct fact_sink *sink)
{
	struct connector_event event;

	ended_gather(watch);
	while (plain_connector_next(&watch->connector, &event))
		plain_procs_take(watch->procs, &event, sink);
	plain_procs_settle(watch->procs, sink);
	plain_destroy_drain(watch->destroy, sink);
}

int plain_watch_add_process(struct plain_watch *watch, int32_t pid, uint64_t start,
			    enum plain_role role, struct fail *why)
{
	return plain_procs_add(watch->procs, pid, start,
			       role == PLAIN_ROLE_AGENT ? AGENT_GENERATIONS : EXECUTOR_GENERATIONS,
			       why);
}

static bool lost_put(const char *cause, uint64_t lost, uint64_t seen, uint64_t *told, bool all,
		     const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_LOST,
			     .mono = now_mono(),
			     .lost = { .cause = cause, .lost = lost, .seen = seen } };
	bool more = lost != *told;

	*told = lost;
	if (more || all)
		fact_put(sink, &fact);
	return more;
}

bool plain_watch_counters(struct plain_watch *watch, bool all, const struct fact_sink *sink)
{
	struct plain_socket *c = &watch->connector;
	uint64_t lost, seen;
	bool more;

	plain_socket_count(c);
	more = lost_put("proc-connector", c->lost, c->seen + c->lost, &watch->told.connector, all,
			sink);
	plain_destroy_count(watch->destroy, &lost, &seen);
	more |= lost_put("sock-diag", lost, seen, &watch->told.destroy, all, sink);
	return more;
}
