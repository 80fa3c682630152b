/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "json.h"
#include "node.h"
#include "procs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *node_exec_state(const struct node *n, const struct node_exec *e)
{
	char *path = lab_fmt("%s/state/%s", n->dir, e->l->container_id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text = { 0 };
	char chunk[4096];
	ssize_t got;

	free(path);
	if (fd < 0)
		return NULL;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, got);
	close(fd);
	return text.data;
}

pid_t node_exec_pid(const char *state, const char *member)
{
	char *key = lab_fmt("\"%s\":", member);
	const char *at = state ? strstr(state, key) : NULL;
	pid_t pid = at ? atoi(at + strlen(key)) : 0;

	free(key);
	return pid;
}

char *node_exec_text(const char *state, const char *member)
{
	char *key = lab_fmt("\"%s\":\"", member);
	const char *at = state ? strstr(state, key) : NULL;
	char *text = at ? strndup(at + strlen(key), strcspn(at + strlen(key), "\"")) : NULL;

	free(key);
	return text;
}

static bool alive(const char *state)
{
	const char *at = state ? strstr(state, "\"start_time\":") : NULL;
	unsigned long long start = at ? strtoull(at + 13, NULL, 10) : 0;

	return start && procs_start_time(node_exec_pid(state, "pid")) == start;
}

static bool has(const char *state, const char *text)
{
	return state && strstr(state, text);
}

/* Registered with the agent that runs now, by its own account and by the agent's. */
static bool registered(const struct node_exec *e, const char *state)
{
	return e->told && e->state == C_RUNNING && has(state, "\"connected\":true") &&
	       has(state, "registered\",") &&
	       (launch_is(e->l->task, "none") ||
		(e->task_runs && node_exec_pid(state, "task_pid")));
}

bool node_exec_settled(const struct node *n, const struct node_exec *e)
{
	char *state;
	bool settled;

	if (!e->launched)
		return false;
	state = node_exec_state(n, e);
	settled = (state && !alive(state)) || e->state == C_TERMINATED || registered(e, state);
	if (launch_is(e->l->mode, "unregistered"))
		settled |= has(state, "\"links\":[{");
	if (launch_is(e->l->mode, "disconnected"))
		settled |= has(state, "\"phase\":\"disconnected\"");
	free(state);
	return settled;
}

/* "ID" (percent-encoded), "id:ID", "group:G", "kind:K", "pid:N", "all". */
static bool matches(const struct node_exec *e, const char *term, const char *state)
{
	if (!strcmp(term, "all"))
		return true;
	if (!strncmp(term, "group:", 6))
		return launch_is(e->l->group, term + 6);
	if (!strncmp(term, "kind:", 5))
		return launch_is(e->l->kind, term + 5);
	if (!strncmp(term, "pid:", 4))
		return node_exec_pid(state, "pid") == atoi(term + 4);
	if (!strncmp(term, "id:", 3))
		term += 3;
	return launch_is(e->l->id, term);
}

bool node_exec_selected(const struct node_exec *e, const char *selector, char *state)
{
	char *copy = lab_strdup(selector), *save = NULL;
	bool selected = false;

	for (char *t = strtok_r(copy, ",", &save); t && !selected; t = strtok_r(NULL, ",", &save)) {
		char *term = pct_decode(t, strlen(t));

		selected = matches(e, term, state);
		free(term);
	}
	free(copy);
	return selected;
}

static const char *take_end(const char *at, const char *key, union addr *addr)
{
	at = strstr(at, key);
	return at && addr_parse_end(at + strlen(key), addr) ? at : NULL;
}

int node_exec_links(const char *state,
		    int (*fn)(void *arg, const union addr *local, const union addr *remote),
		    void *arg)
{
	const char *at = state ? strstr(state, "\"links\":[") : NULL;
	union addr local, remote;
	int err = 0;

	while (at && (at = take_end(at, "\"local\":\"", &local)) &&
	       (at = take_end(at, "\"remote\":\"", &remote))) {
		int one = fn(arg, &local, &remote);

		err = err ? err : one;
	}
	return err;
}

static void put_exec(const struct node *n, const struct node_exec *e, struct buf *json)
{
	char *state = node_exec_state(n, e);

	buf_fmt(json, "{\"forked_pid\":%d,\"alive\":%s,\"agent_state\":\"%s\",", e->forked_pid,
		alive(state) ? "true" : "false",
		e->told ? container_state_name(e->state) : "unknown");
	if (state) {
		buf_str(json, state);
	} else {
		buf_str(json, "\"executor_id\":");
		json_str_escaped(json, e->l->id);
		buf_fmt(json, ",\"container_id\":\"%s\",\"links\":[]", e->l->container_id);
	}
	buf_str(json, "}");
	free(state);
}

static void put_agent(const struct node_agent *a, struct buf *json)
{
	buf_fmt(json,
		"{\"name\":\"%s\",\"pid\":%d,\"ip\":\"%s\",\"port\":%s,\"listening\":%s,"
		"\"recovered\":%s,\"work_dir\":\"%s/work/%s\",\"log\":\"%s/agents/%s.log\"}",
		a->spec->name, a->pid, node_agent_ip(a), a->spec->port,
		a->listening ? "true" : "false", a->recovered ? "true" : "false", a->node->dir,
		a->spec->name, a->node->dir, a->spec->name);
}

void node_status(struct node *n, struct buf *json)
{
	buf_fmt(json, "\"dir\":\"%s\",\"ns_pid\":%d,\"agent\":", n->dir, getpid());
	put_agent(node_find_agent(n, "main"), json);
	buf_str(json, ",\"agents\":[");
	for (size_t i = 0; i < n->spec.n_agents; i++) {
		buf_str(json, i ? "," : "");
		put_agent(&n->agents[i], json);
	}
	buf_str(json, "],\"executors\":[");
	for (size_t i = 0; i < n->n_execs; i++) {
		buf_str(json, i ? "," : "");
		put_exec(n, &n->execs[i], json);
	}
	buf_str(json, "]");
}
