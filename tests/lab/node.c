/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node.h"

#include "netns.h"
#include "procs.h"
#include "disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 20, END_MS = 10000, NOTES_SIZE = 1 << 20 };

struct node_agent *node_find_agent(struct node *n, const char *name)
{
	for (size_t i = 0; i < n->spec.n_agents; i++)
		if (!strcmp(n->agents[i].spec->name, name))
			return &n->agents[i];
	return NULL;
}

void node_let_in(struct node *n)
{
	if (chmod(n->dir, 0711) < 0)
		lab_die("chmod '%s': %s", n->dir, strerror(errno));
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* We are the subreaper: whatever the node started is below us, whoever its parent was. */
static bool kill_descendants(void)
{
	pid_t self = getpid(), *pids;
	size_t n = procs_trees(&self, 1, &pids);

	for (size_t i = 1; i < n; i++)
		kill(pids[i], SIGKILL);
	free(pids);
	reap();
	return n > 1;
}

void node_end(struct node *n)
{
	char *sock = lab_fmt("%s/ctl.sock", n->dir);

	node_thaw_all(n);
	for (size_t i = 0; i < n->spec.n_agents; i++)
		if (n->agents[i].pid)
			kill(n->agents[i].pid, SIGKILL);
	for (int waited = 0; kill_descendants() && waited < END_MS; waited += 5)
		poll(NULL, 0, 5);
	unlink(sock);
	_exit(0);
}

static void life_ended(void *arg, uint32_t events)
{
	(void)events;
	node_end(arg);
}

/* Orphans become ours; an agent's own end is noticed by its pidfd, which reaps it. */
static void reap_orphans(struct node *n)
{
	siginfo_t child = { 0 };

	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid) {
		for (size_t i = 0; i < n->spec.n_agents; i++)
			if (n->agents[i].pid == child.si_pid)
				return;
		waitpid(child.si_pid, NULL, 0);
		child.si_pid = 0;
	}
}

/* Polled, since no event reports them: children that ended, and states that executors wrote. */
static void tick(void *arg)
{
	struct node *n = arg;

	reap_orphans(n);
	node_ctl_check(n);
	n->tick = loop_after(n->loop, TICK_MS, tick, n);
}

void node_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f))
		lab_die("write '%s': %s", path, strerror(errno));
}

static void make_dirs(struct node *n)
{
	static const char *const names[] = { "bin", "lib", "state", "agents", "work", "run" };
	char *pid = lab_fmt("%d", getpid()), *path = lab_fmt("%s/ns.pid", n->dir);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *dir = lab_fmt("%s/%s", n->dir, names[i]);

		checkpoint_mkdirs(dir);
		free(dir);
	}
	node_write_file(path, pid);
	free(path);
	free(pid);
}

static void connection_start(struct node *n, const struct spec_connection *c)
{
	const struct spec_agent *agent = spec_find_agent(&n->spec, c->agent);
	char *path = lab_fmt("%s/bin/%s", n->dir, c->name);
	char *kind = lab_fmt("--bystander=%s", c->kind);
	const char *ip = *agent->ip ? agent->ip : n->spec.ip;
	char *argv[] = { c->name, kind, (char *)ip, agent->port, NULL };
	int err = disguise_install(n->dir, c->name);
	pid_t pid = err ? -1 : fork();

	if (pid < 0)
		lab_die("cannot start '%s'", c->name);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			dup2(null, fd);
		execv(path, argv);
		_exit(127);
	}
	free(kind);
	free(path);
}

static void start_connections(struct node *n)
{
	for (size_t i = 0; i < n->spec.n_connections; i++)
		for (unsigned long k = n->spec.connections[i].count; k > 0; k--)
			connection_start(n, &n->spec.connections[i]);
}

static void make_network(struct node *n)
{
	int err = netns_new(n->spec.ip, &n->ns);

	for (size_t i = 0; i < n->spec.n_agents && !err; i++) {
		const struct spec_agent *a = &n->spec.agents[i];

		err = netns_add_ip(n->ns, a->ip);
		if (!err)
			err = netns_add_ip(n->ns, a->advertise_ip);
	}
	if (!err && *n->spec.rules)
		err = netns_rules(n->ns, n->spec.rules);
	if (!err && n->spec.conntrack)
		err = netns_firewall(n->ns, true);
	if (err)
		lab_die("cannot make the node's network namespace: %s", strerror(-err));
}

int node_main(struct node *n)
{
	static const struct node_agent_start start = { .recover = "reconnect" };

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "execwatch-lab");
	setsid();
	signal(SIGPIPE, SIG_IGN);
	make_network(n);
	make_dirs(n);
	if (disguise_install(n->dir, "mesos-agent") < 0 || disguise_install_all(n->dir) < 0)
		lab_die("cannot copy this program to '%s/bin'", n->dir);
	if (pipe2(n->notes_fd, O_CLOEXEC) < 0)
		lab_die("pipe: %s", strerror(errno));
	/* Room for all that 1,000 executors give rise to: an agent must not wait for us to read. */
	fcntl(n->notes_fd[0], F_SETPIPE_SZ, NOTES_SIZE);
	n->loop = loop_new();
	loop_watch(n->loop, n->life_fd, EPOLLIN | EPOLLHUP, life_ended, n);
	loop_watch(n->loop, n->notes_fd[0], EPOLLIN, node_agent_notes, n);
	node_ctl_listen(n);
	for (size_t i = 0; i < n->spec.n_agents; i++)
		node_agent_start(&n->agents[i], &start);
	start_connections(n);
	tick(n);
	loop_run(n->loop);
}
