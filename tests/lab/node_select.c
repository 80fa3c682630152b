/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands that do something to chosen executors. */
#include "json.h"
#include "netns.h"
#include "node.h"
#include "procs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* --NAME VALUE among the words. */
const char *node_option(int argc, char **argv, const char *name, const char *preset)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return preset;
}

int node_signal(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} names[] = { { "KILL", SIGKILL }, { "TERM", SIGTERM }, { "STOP", SIGSTOP },
		      { "CONT", SIGCONT }, { "SEGV", SIGSEGV }, { "USR1", SIGUSR1 },
		      { "INT", SIGINT },   { "ABRT", SIGABRT } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i].name))
			return names[i].number;
	return atoi(name);
}

/* One of the selected executors. */
struct selected {
	struct node_exec *exec;
	char *state;
	const char *how;
	char *why;
	struct buf *pids;     /* of processes that were started, with commas */
	int link, links_seen; /* which of its links; -1: all */
	unsigned int zone;    /* of connection tracking */
};

typedef int selected_fn(struct selected *s);

/* Selects links, for the commands about links. */
struct links {
	int link;
	unsigned int zone;
};

static char *for_links(struct node *n, const char *selector, const char *how, selected_fn *fn,
		       const struct links *links, struct buf *json)
{
	unsigned int count = 0;
	struct buf pids = { 0 };
	char *why = NULL;

	for (size_t i = 0; i < n->n_execs && !why; i++) {
		struct selected s = { .exec = &n->execs[i],
				      .how = how,
				      .pids = &pids,
				      .link = links->link,
				      .zone = links->zone };
		int err = 0;

		s.state = node_exec_state(n, s.exec);
		if (node_exec_selected(s.exec, selector, s.state)) {
			err = fn(&s);
			count++;
		}
		if (err)
			why = lab_fmt("%s: %s", s.exec->l->id, s.why ? s.why : strerror(-err));
		free(s.why);
		free(s.state);
	}
	if (!why && !count)
		why = lab_fmt("no executor matches '%s'", selector);
	buf_fmt(json, "%s\"selected\":%u,\"pids\":[%s]", json->len ? "," : "", count,
		pids.data ? pids.data : "");
	buf_free(&pids);
	return why;
}

static char *for_selected(struct node *n, const char *selector, const char *how, selected_fn *fn,
			  struct buf *json)
{
	return for_links(n, selector, how, fn, &(struct links){ .link = -1 }, json);
}

/* Number 0 of a v1 executor's two links carries the events. */
static bool link_wanted(struct selected *s)
{
	return s->link < 0 || s->link == s->links_seen++;
}

static int close_link(void *arg, const union addr *local, const union addr *remote)
{
	struct selected *s = arg;
	char *addr = addr_format(local), *line = lab_fmt("close %s %s", addr, s->how), *why = NULL;
	int err = link_wanted(s) ? node_agent_ask(s->exec->agent, line, &why) : 0;

	(void)remote;
	free(s->why);
	s->why = why;
	free(addr);
	free(line);
	return err;
}

static int close_links(struct selected *s)
{
	return node_exec_links(s->state, close_link, s);
}

static int forget_link(void *arg, const union addr *local, const union addr *remote)
{
	struct selected *s = arg;
	struct netns_entry entry = { .from = *local, .to = *remote, .zone = s->zone };

	return link_wanted(s) ? netns_forget(s->exec->agent->node->ns, &entry) : 0;
}

static int expire_link(void *arg, const union addr *local, const union addr *remote)
{
	struct selected *s = arg;
	struct netns_entry entry = { .from = *local, .to = *remote, .zone = s->zone };

	return link_wanted(s) ? netns_expire(s->exec->agent->node->ns, &entry, atoi(s->how)) : 0;
}

/* how: seconds. */
static int expire(struct selected *s)
{
	return node_exec_links(s->state, expire_link, s);
}

/* Once all is quiet (if an agent is there): what is on its way would not arrive any more. */
static int forget(struct selected *s)
{
	if (s->exec->agent->listening)
		node_exec_links(s->state, close_link, s);
	s->links_seen = 0;
	free(s->why); /* a link that the agent has no end of may be forgotten, too */
	s->why = NULL;
	return node_exec_links(s->state, forget_link, s);
}

/* how: yes or no, whether it is stopped, too. */
static int trace(struct selected *s)
{
	pid_t pid = node_exec_pid(s->state, "pid");
	pid_t tracer = pid ? node_trace(pid, launch_is(s->how, "yes")) : -ESRCH;

	if (tracer > 0)
		buf_fmt(s->pids, "%s%d", s->pids->len ? "," : "", tracer);
	return tracer > 0 ? 0 : tracer;
}

/* how: the version of cgroups. */
static int freeze(struct selected *s)
{
	pid_t pid = node_exec_pid(s->state, "pid");

	return pid ? node_freeze(s->exec, pid, atoi(s->how)) : -ESRCH;
}

static int thaw(struct selected *s)
{
	return node_thaw(s->exec, node_exec_pid(s->state, "pid"));
}

/* how: the exit status. The task ends by itself. */
static int finish(struct selected *s)
{
	pid_t task = node_exec_pid(s->state, "task_pid");
	union sigval code = { .sival_int = atoi(s->how) };

	return task && sigqueue(task, SIGUSR1, code) == 0 ? 0 : -ESRCH;
}

/* An order to the agent about one executor. how: the control line's first word. */
static int order(struct selected *s)
{
	bool framework = launch_is(s->how, "teardown");
	char *fid = node_exec_text(s->state, "framework_id");
	char *line = lab_fmt("%s %s", s->how, framework && fid ? fid : s->exec->l->container_id);
	int err = node_agent_ask(s->exec->agent, line, &s->why);

	free(fid);
	free(line);
	return err;
}

/* By a process of its own, so that the sender has a pid and a name to be found. */
static int signal_by_helper(struct selected *s)
{
	char member[16], comm[16];
	pid_t target, helper;
	int sig, status;

	if (sscanf(s->how, "%15s %d %15s", member, &sig, comm) != 3)
		return -EINVAL;
	target = node_exec_pid(s->state, member);
	if (!target)
		return -ESRCH;
	helper = fork();
	if (helper == 0) {
		prctl(PR_SET_NAME, comm);
		_exit(kill(target, sig) ? 1 : 0);
	}
	if (helper < 0 || waitpid(helper, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		return -ESRCH;
	if (sig == SIGSTOP)
		procs_await_state(target, 'T');
	s->how = NULL;
	s->exec->killer = helper;
	return 0;
}

/* how: the name of the message, and the agent that sends it. */
static int forge(struct selected *s)
{
	char name[64], agent[64], *upid = node_exec_text(s->state, "upid"), *line;
	struct node_agent *from;
	int err = -EINVAL;

	if (upid && *upid && sscanf(s->how, "%63s %63s", name, agent) == 2 &&
	    (from = node_find_agent(s->exec->agent->node, agent))) {
		line = lab_fmt("forge %s %s", name, upid);
		err = node_agent_ask(from, line, &s->why);
		free(line);
	}
	free(upid);
	return err;
}

static char *run_forge(struct node *n, int argc, char **argv, const char *selector,
		       struct buf *json)
{
	char *how =
		lab_fmt("%s %s", node_option(argc, argv, "--name", "ExecutorReregisteredMessage"),
			node_option(argc, argv, "--agent", "main"));
	char *why = for_selected(n, selector, how, forge, json);

	free(how);
	return why;
}

/* how: how many, the uid, what they do, their name. */
static int impostors(struct selected *s)
{
	struct impostors wanted = { .of = node_exec_pid(s->state, "pid"), .agent = s->exec->agent };

	if (sscanf(s->how, "%u %u %15s %31s", &wanted.count, &wanted.uid, wanted.kind,
		   wanted.comm) != 4)
		return -EINVAL;
	return node_impostors(s->exec->agent->node, &wanted, s->pids);
}

static char *run_impostors(struct node *n, int argc, char **argv, const char *selector,
			   struct buf *json)
{
	bool connect = launch_is(node_option(argc, argv, "--connect", "no"), "yes");
	char *how = lab_fmt("%s %s %s %s", node_option(argc, argv, "--count", "1"),
			    node_option(argc, argv, "--uid", "65534"), connect ? "idle" : "none",
			    node_option(argc, argv, "--comm", "mesos-executor"));
	char *why;

	why = for_selected(n, selector, how, impostors, json);
	free(how);
	return why;
}

static char *run_kill(struct node *n, int argc, char **argv, const char *selector, struct buf *json)
{
	const char *comm = node_option(argc, argv, "--comm", "oom-helper");
	const char *what = node_option(argc, argv, "--what", "pid");
	int sig = node_signal(node_option(argc, argv, "--signal", "KILL"));
	char *how, *why;

	how = lab_fmt("%s %d %s", what, sig, comm);
	why = for_selected(n, selector, how, signal_by_helper, json);
	free(how);
	buf_str(json, ",\"killer_comm\":");
	json_str_escaped(json, comm);
	buf_str(json, ",\"killers\":[");
	for (size_t i = 0, k = 0; i < n->n_execs; i++) {
		if (n->execs[i].killer)
			buf_fmt(json, "%s%d", k++ ? "," : "", n->execs[i].killer);
		n->execs[i].killer = 0;
	}
	buf_str(json, "]");
	return why;
}

static const struct {
	const char *name;
	selected_fn *fn;
	const char *how;
} acts[] = {
	{ "forget", forget, "never" },	      { "half-open", close_links, "silent" },
	{ "disconnect", close_links, "fin" }, { "kill-task", order, "kill" },
	{ "teardown", order, "teardown" },    { "thaw", thaw, NULL },
	{ "expire", expire, "60" },
};

static char *run_trace(struct node *n, int argc, char **argv, const char *selector,
		       struct buf *json)
{
	return for_selected(n, selector, node_option(argc, argv, "--stop", "no"), trace, json);
}

static char *run_freeze(struct node *n, int argc, char **argv, const char *selector,
			struct buf *json)
{
	return for_selected(n, selector, node_option(argc, argv, "--cgroup", "1"), freeze, json);
}

static char *run_finish(struct node *n, int argc, char **argv, const char *selector,
			struct buf *json)
{
	return for_selected(n, selector, node_option(argc, argv, "--code", "0"), finish, json);
}

static const struct {
	const char *name;
	char *(*run)(struct node *n, int argc, char **argv, const char *selector, struct buf *json);
} commands[] = {
	{ "kill", run_kill },		{ "finish", run_finish }, { "forge-message", run_forge },
	{ "impostors", run_impostors }, { "trace", run_trace },	  { "freeze", run_freeze },
};

bool node_select_command(struct node *n, int argc, char **argv, struct buf *json, char **why)
{
	const char *selector = argc > 1 ? argv[1] : "";
	struct links links;
	const char *how;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		*why = commands[i].run(n, argc, argv, selector, json);
		return true;
	}
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(argv[0], acts[i].name))
			continue;
		how = node_option(argc, argv, "--seconds", acts[i].how);
		links.link = atoi(node_option(argc, argv, "--link", "-1"));
		links.zone = atoi(node_option(argc, argv, "--zone", "0"));
		*why = for_links(n, selector, how, acts[i].fn, &links, json);
		return true;
	}
	return false;
}
