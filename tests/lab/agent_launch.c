/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent.h"
#include "procs.h"
#include "disguise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 16 }; /* executors that start at the same time */

static void preset(struct launch *l, const char *name, const char *value)
{
	launch_set(l, name, value);
}

/* What the spec left open depends on the kind of executor. */
static const char *default_version(const struct launch *l)
{
	return launch_is(l->kind, "v0-old") ? "1.0.4" : "1.11.0";
}

static void fill_launch(struct agent *a, struct launch *l)
{
	bool checkpoint = launch_is(l->checkpoint, "1");
	unsigned long number = *l->framework ? launch_number(l->framework) : !checkpoint;
	size_t prefix = strlen(a->slave_id) - 3; /* without "-S0" */
	char *fid = lab_fmt("%.*s-%04lu", (int)prefix, a->slave_id, number);
	char *net = lab_fmt("%u", ++a->nets), port[8];

	preset(l, "framework_id", fid);
	preset(l, "slave_id", a->slave_id);
	snprintf(port, sizeof(port), "%u", a->port);
	preset(l, "agent_ip", agent_ip(a));
	preset(l, "agent_port", port);
	preset(l, "domain_socket", a->flags.domain_socket);
	preset(l, "dir", a->flags.lab_dir);
	preset(l, "net_index", net);
	preset(l, "node_ns", a->flags.netns);
	if (!*l->version)
		preset(l, "version", default_version(l));
	if (!*l->backoff_max)
		preset(l, "backoff_max", a->flags.reregistration_timeout);
	if (!*l->recovery_timeout)
		preset(l, "recovery_timeout", a->flags.recovery_timeout);
	free(fid);
	free(net);
}

static void launch_now(struct agent *a, struct launch *l)
{
	struct container *c = agent_add(a, l->framework_id, l->id, l->container_id);
	struct checkpoint_ids at = agent_paths(c);
	struct msg_ids ids;
	char pid[16];

	c->l = l;
	c->checkpoint = launch_is(l->checkpoint, "1");
	c->directory = checkpoint_sandbox(&at);
	preset(l, "directory", c->directory);
	ids = agent_ids(c);
	agent_log(a, 'I', "slave.cpp:3063",
		  "Launching executor '%s' of framework %s in work "
		  "directory '%s'",
		  c->executor_id, c->framework_id, c->directory);
	checkpoint_make_sandbox(&at);
	if (c->checkpoint)
		checkpoint_executor(&at, &ids);
	c->forked_pid = disguise_container(l);
	if (c->forked_pid < 0)
		lab_die("fork: %s", strerror(-c->forked_pid));
	snprintf(pid, sizeof(pid), "%d", c->forked_pid);
	if (c->checkpoint)
		checkpoint_run_file(&at, "pids/forked.pid", pid);
	agent_note_container(c);
	agent_watch_exit(c);
	agent_set_state(c, C_REGISTERING);
}

static size_t count_starting(struct agent *a)
{
	size_t n = 0;

	for (struct container *c = a->containers; c; c = c->next)
		n += c->state == C_REGISTERING &&
		     !launch_is(c->l ? c->l->mode : "", "unregistered");
	return n;
}

/* The next ones of the queue, as long as not too many are on their way. */
void agent_launch_more(struct agent *a)
{
	size_t starting = count_starting(a);

	while (a->state == AGENT_RUNNING && a->queue.len && starting < AT_ONCE) {
		char *nl = memchr(a->queue.data, '\n', a->queue.len);
		struct launch *l = launch_new();

		*nl = '\0';
		free(launch_parse(l, a->queue.data)); /* agent_launch() has tried it */
		buf_drop(&a->queue, nl + 1 - a->queue.data);
		fill_launch(a, l);
		starting += !launch_is(l->mode, "unregistered");
		launch_now(a, l);
	}
}

char *agent_launch(struct agent *a, const char *line)
{
	struct launch *l = launch_new();
	char *bad = launch_parse(l, line), *why = NULL;

	if (bad)
		why = lab_fmt("unknown word '%s'", bad);
	else if (!*l->id || strchr(l->id, '/') || !*l->container_id)
		why = lab_fmt("an executor needs an id without '/' and a container id");
	else
		buf_fmt(&a->queue, "%s\n", line);
	free(bad);
	launch_free(l);
	if (!why)
		agent_launch_more(a);
	return why;
}
