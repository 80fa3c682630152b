/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Orders: to executors (Slave::_shutdownExecutor, killTask, shutdownFramework), and to the agent
 * itself (Slave::signaled, shutdown). src/slave/slave.cpp, 1.11.0.
 */
#include "agent.h"
#include "procs.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* executor_shutdown_grace_period (5 s) and a margin: an executor's own timer expires first. */
enum { GRACE_MS = 5500 };

static void send_event(struct container *c, struct buf *event)
{
	struct buf out = { 0 };

	wire_record_chunk(&out, event);
	conn_send_buf(c->stream, &out);
	buf_free(event);
}

static void grace_over(void *arg)
{
	struct container *c = arg;

	if (c->state == C_TERMINATED)
		return;
	agent_log(c->agent, 'I', "slave.cpp:7200", "Killing executor '%s' of framework %s",
		  c->executor_id, c->framework_id);
	c->destroyed = true;
	procs_kill_trees(&c->forked_pid, 1);
}

void agent_shutdown_executor(struct container *c)
{
	struct buf b = { 0 };

	if (c->state >= C_TERMINATING)
		return;
	agent_log(c->agent, 'I', "slave.cpp:7150", "Shutting down executor '%s' of framework %s",
		  c->executor_id, c->framework_id);
	agent_set_state(c, C_TERMINATING);
	if (c->http && c->stream) {
		msg_event_shutdown(&b);
		send_event(c, &b);
	} else if (!c->http && c->upid) {
		agent_send(c, "ShutdownExecutorMessage", &b);
	}
	loop_after(c->agent->loop, GRACE_MS, grace_over, c);
}

static bool any_left(const struct agent *a)
{
	for (const struct container *c = a->containers; c; c = c->next)
		if (c->state != C_TERMINATED)
			return true;
	return false;
}

/* Slave::finalize() of an agent that shuts down: the next one starts with a new id. */
void agent_maybe_quit(struct agent *a)
{
	bool cleanup = a->state == AGENT_ASKING && launch_is(a->flags.recover, "cleanup");
	char *latest;

	if ((a->state != AGENT_TERMINATING && !cleanup) || any_left(a))
		return;
	latest = lab_fmt("%s/meta/slaves/latest", a->flags.work_dir);
	unlink(latest);
	agent_log(a, 'I', "slave.cpp:935", "Agent terminating");
	_exit(0);
}

static void shutdown_framework(struct agent *a, const char *framework_id)
{
	for (struct container *c = a->containers; c; c = c->next) {
		if (strcmp(c->framework_id, framework_id))
			continue;
		c->framework_ends = true;
		agent_shutdown_executor(c);
	}
}

static void agent_shutdown(struct agent *a)
{
	a->state = AGENT_TERMINATING;
	for (struct container *c = a->containers; c; c = c->next) {
		c->framework_ends = true;
		agent_shutdown_executor(c);
	}
	agent_maybe_quit(a);
}

void agent_removed(struct agent *a)
{
	agent_log(a, 'W', "slave.cpp:985",
		  "Agent asked to shut down by master@%s because 'Agent attempted to reregister "
		  "after removal'",
		  a->flags.master);
	agent_shutdown(a);
}

static int usr1_fd;

static void on_usr1(int sig)
{
	uint64_t one = 1;

	(void)sig;
	if (write(usr1_fd, &one, sizeof(one)) < 0)
		_exit(1);
}

static void usr1_came(void *arg, uint32_t events)
{
	struct agent *a = arg;
	uint64_t count;

	(void)events;
	if (read(usr1_fd, &count, sizeof(count)) != sizeof(count))
		return;
	agent_log(a, 'I', "slave.cpp:958",
		  "Received SIGUSR1 signal; unregistering and shutting down");
	agent_shutdown(a);
}

void agent_order_signals(struct agent *a)
{
	usr1_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (usr1_fd < 0 || signal(SIGUSR1, on_usr1) == SIG_ERR)
		lab_die("agent: SIGUSR1: %s", strerror(errno));
	loop_watch(a->loop, usr1_fd, EPOLLIN, usr1_came, a);
}

static char *kill_task(struct agent *a, const char *container_id)
{
	struct container *c = a->containers;
	struct buf b = { 0 };
	struct msg_ids ids;

	while (c && strcmp(c->container_id, container_id))
		c = c->next;
	if (!c || c->state != C_RUNNING)
		return lab_fmt("no container '%s' that runs", container_id);
	ids = agent_ids(c);
	agent_log(a, 'I', "slave.cpp:3950", "Asked to kill task %s of framework %s", c->executor_id,
		  c->framework_id);
	if (c->http) {
		msg_event_kill(&b, &ids);
		send_event(c, &b);
	} else {
		msg_kill_task(&b, &ids);
		agent_send(c, "KillTaskMessage", &b);
	}
	return NULL;
}

static void reply_sent(struct conn *c)
{
	shutdown(c->fd, SHUT_RD);
	conn_close(c);
}

static void reply_closed(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static void reply_data(struct conn *c)
{
	buf_drop(&c->in, c->in.len);
}

static const struct conn_ops reply_ops = { .data = reply_data,
					   .closed = reply_closed,
					   .sent = reply_sent };

static void send_to(struct agent *a, const union addr *to, const char *name, const struct buf *body)
{
	bool names_host = version_number(a->flags.version) >= 1012000;
	char *host = names_host ? addr_format(to) : lab_strdup("");
	char *full = lab_fmt("mesos.internal.%s", name);
	struct wire_msg msg = { .to = "executor(1)", .name = full, .from = a->upid, .host = host };
	struct buf out = { 0 };

	wire_encode(&out, &msg, body);
	conn_send_buf(conn_open(a->loop, conn_socket(to, false), to, &reply_ops, a), &out);
	free(full);
	free(host);
}

/* An unknown executor is told to shut down (Slave::registerExecutor, reregisterExecutor). */
void agent_reply_shutdown(struct agent *a, const struct http_msg *req)
{
	char *from = http_header(req, "Libprocess-From");
	union addr to;

	if (from && addr_parse_upid(from, &to)) {
		agent_log(a, 'W', "slave.cpp:5120",
			  "Shutting down executor at %s because its framework is unknown", from);
		send_to(a, &to, "ShutdownExecutorMessage", NULL);
	}
	free(from);
}

/* "NAME UPID": a message to somebody else's executor, as anybody could send it. */
static char *forge(struct agent *a, const char *words)
{
	struct msg_ids ids = { .slave_id = a->slave_id,
			       .hostname = a->flags.hostname,
			       .port = a->port };
	char name[64], upid[128];
	struct buf body = { 0 };
	union addr to;

	if (sscanf(words, "%63s %127s", name, upid) != 2 || !addr_parse_upid(upid, &to))
		return lab_strdup("forge NAME UPID");
	if (!strcmp(name, "ExecutorReregisteredMessage"))
		msg_reregistered(&body, &ids);
	else if (!strcmp(name, "ReconnectExecutorMessage"))
		msg_reconnect(&body, &ids);
	else if (strcmp(name, "ShutdownExecutorMessage"))
		return lab_fmt("cannot forge a '%s'", name);
	send_to(a, &to, name, &body);
	buf_free(&body);
	return NULL;
}

/* "kill CONTAINER", "teardown FRAMEWORK", "forge NAME UPID", "removed". */
bool agent_order(struct agent *a, const char *line, char **why)
{
	*why = NULL;
	if (!strncmp(line, "kill ", 5)) {
		*why = kill_task(a, line + 5);
	} else if (!strncmp(line, "teardown ", 9)) {
		agent_log(a, 'I', "slave.cpp:4050", "Asked to shut down framework %s by master@%s",
			  line + 9, a->flags.master);
		shutdown_framework(a, line + 9);
	} else if (!strncmp(line, "forge ", 6)) {
		*why = forge(a, line + 6);
	} else if (!strcmp(line, "removed")) {
		agent_removed(a);
	} else {
		return false;
	}
	return true;
}
