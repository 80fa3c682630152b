/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent.h"

#include "env.h"
#include "procs.h"
#include "disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct msg_ids agent_ids(const struct container *c)
{
	const struct agent *a = c->agent;

	return (struct msg_ids){
		.slave_id = a->slave_id,
		.framework_id = c->framework_id,
		.executor_id = c->executor_id,
		.task_id = c->executor_id,
		.container_id = c->container_id,
		.hostname = a->flags.hostname,
		.port = a->port,
		.launcher_dir = a->flags.launcher_dir,
		.command = c->l ? c->l->command : "echo started; exec sleep 100000",
		.checkpoint = c->checkpoint,
		.forked_pid = c->forked_pid,
	};
}

struct checkpoint_ids agent_paths(const struct container *c)
{
	return (struct checkpoint_ids){
		.work_dir = c->agent->flags.work_dir,
		.slave_id = c->agent->slave_id,
		.framework_id = c->framework_id,
		.executor_id = c->executor_id,
		.container_id = c->container_id,
	};
}

/* The one that is not over yet, if there is any. */
struct container *agent_find(struct agent *a, const char *framework_id, const char *executor_id)
{
	for (struct container *c = a->containers; c; c = c->next)
		if (c->state != C_TERMINATED && !strcmp(c->executor_id, executor_id) &&
		    !strcmp(c->framework_id, framework_id))
			return c;
	return NULL;
}

struct container *agent_add(struct agent *a, const char *framework_id, const char *executor_id,
			    const char *container_id)
{
	struct container *c = lab_calloc(1, sizeof(*c));

	*c = (struct container){
		.agent = a,
		.framework_id = lab_strdup(framework_id),
		.executor_id = lab_strdup(executor_id),
		.container_id = lab_strdup(container_id),
		.pidfd = -1,
		.status.state = TASK_STAGING,
	};
	*a->last = c;
	a->last = &c->next;
	return c;
}

/* One line to the supervisor, which always reads. */
void agent_notify(struct agent *a, const char *fmt, ...)
{
	struct buf line = { 0 };
	va_list ap;

	if (fcntl(FD_NOTIFY, F_GETFD) < 0)
		return;
	buf_fmt(&line, "%s %s ", a->flags.lab_name, a->flags.serial);
	va_start(ap, fmt);
	buf_vfmt(&line, fmt, ap);
	va_end(ap);
	buf_str(&line, "\n");
	if (write(FD_NOTIFY, line.data, line.len) < 0 && errno != EPIPE)
		agent_log(a, 'W', "lab.cpp:1", "Cannot notify: %s", strerror(errno));
	buf_free(&line);
}

const char *container_state_name(enum container_state state)
{
	static const char *const names[] = {
		[C_REGISTERING] = "registering",
		[C_RUNNING] = "running",
		[C_TERMINATING] = "terminating",
		[C_TERMINATED] = "terminated",
	};

	return names[state];
}

void agent_set_state(struct container *c, enum container_state state)
{
	c->state = state;
	agent_notify(c->agent, "container %s %s %d", c->container_id, container_state_name(state),
		     c->forked_pid);
}

void agent_terminated(struct container *c, int status, bool known)
{
	struct agent *a = c->agent;
	struct checkpoint_ids at = agent_paths(c);

	if (c->state == C_TERMINATED)
		return;
	if (known && WIFSIGNALED(status))
		agent_log(a, 'I', "slave.cpp:7118",
			  "Executor '%s' of framework %s terminated with signal %s", c->executor_id,
			  c->framework_id, sigdescr_np(WTERMSIG(status)));
	else if (known)
		agent_log(a, 'I', "slave.cpp:7107",
			  "Executor '%s' of framework %s exited with "
			  "status %d",
			  c->executor_id, c->framework_id, WEXITSTATUS(status));
	else
		agent_log(a, 'I', "slave.cpp:7124",
			  "Executor '%s' of framework %s has terminated "
			  "with unknown status",
			  c->executor_id, c->framework_id);
	if (c->checkpoint)
		checkpoint_run_file(&at, "executor.sentinel", "");
	conn_close(c->link);
	c->link = NULL;
	a->terminated++;
	agent_set_state(c, C_TERMINATED);
	agent_report_end(c);
	agent_launch_more(a);
	agent_maybe_quit(a);
}

static void container_exited(void *arg, uint32_t events)
{
	struct container *c = arg;
	int status = 0;
	bool ours;

	(void)events;
	ours = waitpid(c->forked_pid, &status, WNOHANG) == c->forked_pid;
	loop_unwatch(c->exit_watch);
	close(c->pidfd);
	c->exit_watch = NULL;
	c->pidfd = -1;
	/* Not our child after a restart: but then we know what we did to it. */
	if (!ours && c->destroyed)
		status = SIGKILL;
	agent_terminated(c, status, ours || c->destroyed);
}

void agent_watch_exit(struct container *c)
{
	c->pidfd = procs_pidfd(c->forked_pid);
	if (c->pidfd >= 0)
		c->exit_watch = loop_watch(c->agent->loop, c->pidfd, EPOLLIN, container_exited, c);
}

static char *new_slave_id(void)
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		lab_die("getrandom: %s", strerror(errno));
	return lab_fmt("%02x%02x%02x%02x-%02x%02x-4%01x%02x-8%01x%02x-%02x%02x%02x%02x%02x%02x-S0",
		       r[0], r[1], r[2], r[3], r[4], r[5], r[6] & 15, r[7], r[8] & 15, r[9], r[10],
		       r[11], r[12], r[13], r[14], r[15]);
}

static char *claimed_slave_id(const struct agent *a)
{
	char *latest = lab_fmt("%s/work/%s/meta/slaves/latest", a->flags.lab_dir, a->flags.claims);
	char *id = checkpoint_link_name(latest);

	free(latest);
	return id;
}

/* A new agent is given its id by the master, at once. */
static void agent_start_fresh(struct agent *a)
{
	struct msg_ids ids = { .hostname = a->flags.hostname,
			       .attributes = a->flags.attributes,
			       .port = a->port };

	a->slave_id = *a->flags.claims ? claimed_slave_id(a) : new_slave_id();
	ids.slave_id = a->slave_id;
	checkpoint_agent(a->flags.work_dir, &ids);
	a->state = AGENT_RUNNING;
	agent_log(a, 'I', "slave.cpp:8388", "Finished recovery");
	agent_notify(a, "recovered");
}

/* Routes are there a few milliseconds after the port: until then everything is 404. */
static void agent_begin(void *arg)
{
	struct agent *a = arg;
	char *claimed = *a->flags.claims ? claimed_slave_id(a) : NULL;

	if (*a->flags.claims && !claimed) { /* that agent has no id yet */
		loop_after(a->loop, 20, agent_begin, a);
		return;
	}
	free(claimed);
	a->state = AGENT_RECOVERING;
	agent_log(a, 'I', "state.cpp:68", "Recovering state from '%s/meta'", a->flags.work_dir);
	if (agent_recover_state(a))
		agent_start_recovery(a);
	else
		agent_start_fresh(a);
	agent_destroy_orphans(a);
}

static void leash_ended(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	_exit(0);
}

static void agent_greet(struct agent *a)
{
	agent_log(a, 'I', "main.cpp:545", "Build: 2024-08-23 19:00:00 by root");
	agent_log(a, 'I', "main.cpp:546", "Version: %s", a->flags.version);
	agent_log(a, 'I', "slave.cpp:283", "Mesos agent started on %s", a->upid + strlen("slave"));
}

static void agent_make_dirs(struct agent *a)
{
	static const char *const names[] = { "bin", "lib", "state", "agents" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *dir = lab_fmt("%s/%s", a->flags.lab_dir, names[i]);

		checkpoint_mkdirs(dir);
		free(dir);
	}
	checkpoint_mkdirs(a->flags.work_dir);
	if (disguise_install_all(a->flags.lab_dir) < 0)
		lab_die("cannot install the programs in '%s/bin'", a->flags.lab_dir);
}

int agent_main(int argc, char **argv)
{
	static struct agent a;
	char *host;

	signal(SIGPIPE, SIG_IGN);
	agent_flags_parse(&a.flags, argc, argv);
	a.last = &a.containers;
	a.port = launch_number(*a.flags.advertise_port ? a.flags.advertise_port : a.flags.port);
	a.year = version_number(a.flags.version) >= 1012000;
	host = addr_host(agent_ip(&a));
	a.upid = lab_fmt("slave(1)@%s:%u", host, a.port);
	free(host);
	a.start_time = wall_time();
	a.holding = launch_is(a.flags.hold, "yes");
	a.loop = loop_new();
	agent_greet(&a);
	agent_make_dirs(&a);
	if (fcntl(FD_LEASH, F_GETFD) >= 0)
		loop_watch(a.loop, FD_LEASH, EPOLLIN | EPOLLHUP, leash_ended, &a);
	if (fcntl(FD_NOTIFY, F_GETFD) >= 0)
		fcntl(FD_NOTIFY, F_SETFD, FD_CLOEXEC);
	agent_listen(&a);
	agent_control(&a);
	agent_order_signals(&a);
	loop_after(a.loop, 5, agent_begin, &a);
	loop_run(a.loop);
}
