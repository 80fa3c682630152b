/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands to a running node: DIR/ctl.sock, one line in, one line of JSON out. */
#include "json.h"
#include "netns.h"
#include "node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ARGS_MAX = 16, PATIENCE_MS = 120000 };

enum want {
	WANT_COMMAND,
	WANT_NOTHING,
	WANT_REGISTERED,
	WANT_RECOVERED,
	WANT_STOPPED,
	WANT_LISTENING,
};

/* One command under way. */
struct request {
	struct request *next;
	struct node *node;
	struct conn *conn; /* NULL: the asker went away */
	enum want want;
	bool restart; /* once stopped, start again after down_ms */
	unsigned long down_ms;
	struct node_agent *agent;
	struct timer *patience;
};

struct command {
	const char *name;
	/* Fills json with more members of the answer; returns what is wrong, malloc'd, or NULL. */
	char *(*run)(struct request *r, int argc, char **argv, struct buf *json);
};

static void request_free(struct request *r)
{
	for (struct request **at = &r->node->requests; *at; at = &(*at)->next) {
		if (*at != r)
			continue;
		*at = r->next;
		break;
	}
	loop_cancel(r->node->loop, r->patience);
	if (r->conn)
		r->conn->arg = NULL;
	loop_free_later(r->node->loop, r);
}

/* The connection is closed once the answer is out. */
static void request_answer(struct request *r, const char *error, const struct buf *members)
{
	struct buf out = { 0 };

	buf_fmt(&out, "{\"ok\":%s", error ? "false" : "true");
	if (error) {
		buf_str(&out, ",\"error\":");
		json_str_escaped(&out, error);
	}
	if (members && members->len)
		buf_fmt(&out, ",%s", members->data);
	buf_str(&out, "}\n");
	if (r->conn)
		conn_send_buf(r->conn, &out);
	if (r->conn && !r->conn->out.len)
		conn_close(r->conn);
	buf_free(&out);
	request_free(r);
}

static bool all_settled(const struct node *n)
{
	for (size_t i = 0; i < n->n_execs; i++)
		if (!node_exec_settled(n, &n->execs[i]))
			return false;
	return true;
}

/* The same for a node that comes up, where who has settled is not looked at again. */
static bool all_came_up(struct node *n)
{
	while (n->n_up < n->n_execs && node_exec_settled(n, &n->execs[n->n_up])) {
		if (n->execs[n->n_up].state == C_TERMINATED) {
			fprintf(stderr, "execwatch-lab: executor '%s' ended at its start\n",
				n->execs[n->n_up].l->id);
			node_end(n);
		}
		n->n_up++;
	}
	return n->n_up == n->n_execs;
}

static bool has_come(const struct request *r)
{
	switch (r->want) {
	case WANT_COMMAND:
		return false;
	case WANT_NOTHING:
		return true;
	case WANT_REGISTERED:
		return all_settled(r->node);
	case WANT_RECOVERED:
		return r->agent->recovered;
	case WANT_STOPPED:
		return !r->agent->pid;
	case WANT_LISTENING:
		return r->agent->listening;
	}
	return false;
}

static void start_again(void *arg)
{
	struct request *r = arg;

	r->want = WANT_LISTENING;
	node_agent_start(r->agent, &(struct node_agent_start){ .recover = "reconnect" });
}

static void request_check(struct request *r)
{
	struct buf json = { 0 };

	if (!has_come(r))
		return;
	if (r->want == WANT_STOPPED && r->restart) {
		r->want = WANT_LISTENING;
		r->restart = false;
		loop_after(r->node->loop, r->down_ms, start_again, r);
		return;
	}
	if (r->agent)
		buf_fmt(&json, "\"pid\":%d", r->agent->pid);
	request_answer(r, NULL, &json);
	buf_free(&json);
}

static bool node_agents_recovered(const struct node *n)
{
	for (size_t i = 0; i < n->spec.n_agents; i++)
		if (!n->agents[i].recovered)
			return false;
	return true;
}

/* `up` waits for the whole node. */
static void ready_check(struct node *n)
{
	struct buf json = { 0 };

	if (n->ready_fd < 0 || !node_agents_recovered(n) || !all_came_up(n))
		return;
	buf_str(&json, "{\"ok\":true,");
	node_status(n, &json);
	buf_str(&json, "}\n");
	if (write(n->ready_fd, json.data, json.len) < 0)
		node_end(n);
	close(n->ready_fd);
	n->ready_fd = -1;
	buf_free(&json);
}

void node_ctl_check(struct node *n)
{
	for (struct request *r = n->requests, *next; r; r = next) {
		next = r->next;
		request_check(r);
	}
	ready_check(n);
}

static void request_timed_out(void *arg)
{
	struct request *r = arg;

	r->patience = NULL;
	request_answer(r, "it did not come about in 2 minutes", NULL);
}

static char *pick_agent(struct request *r, int argc, char **argv)
{
	const char *name = node_option(argc, argv, "--agent", "main");

	r->agent = node_find_agent(r->node, name);
	return r->agent ? NULL : lab_fmt("no agent '%s'", name);
}

static char *run_stop_agent(struct request *r, int argc, char **argv, struct buf *json)
{
	char *why = pick_agent(r, argc, argv);

	(void)json;
	if (why)
		return why;
	r->want = WANT_STOPPED;
	node_agent_stop(r->agent, node_signal(node_option(argc, argv, "--signal", "KILL")));
	return NULL;
}

static char *run_restart_agent(struct request *r, int argc, char **argv, struct buf *json)
{
	r->restart = true;
	r->down_ms = strtod(node_option(argc, argv, "--down", "0.2"), NULL) * 1000;
	return run_stop_agent(r, argc, argv, json);
}

static char *run_start_agent(struct request *r, int argc, char **argv, struct buf *json)
{
	struct node_agent_start how = { 0 };
	char *why = pick_agent(r, argc, argv);

	(void)json;
	if (why)
		return why;
	r->want = WANT_LISTENING;
	how.hold = launch_is(node_option(argc, argv, "--hold", "no"), "yes");
	how.recover = node_option(argc, argv, "--recover", "reconnect");
	node_agent_start(r->agent, &how);
	return NULL;
}

static char *run_release(struct request *r, int argc, char **argv, struct buf *json)
{
	char *why = pick_agent(r, argc, argv);

	(void)json;
	if (!why)
		node_agent_ask(r->agent, "release", &why);
	return why;
}

static char *run_remove_agent(struct request *r, int argc, char **argv, struct buf *json)
{
	char *why = pick_agent(r, argc, argv);

	(void)json;
	if (!why)
		node_agent_ask(r->agent, "removed", &why);
	r->want = WANT_STOPPED;
	return why;
}

/* agent-api KIND, agent-listen on|off: a line for the agent itself. */
static char *tell_agent(struct request *r, int argc, char **argv, const char *word)
{
	char *why = pick_agent(r, argc, argv);
	char *line = lab_fmt("%s %s", word, argc > 1 ? argv[1] : "");

	if (!why)
		node_agent_ask(r->agent, line, &why);
	free(line);
	return why;
}

static char *run_agent_api(struct request *r, int argc, char **argv, struct buf *json)
{
	(void)json;
	return tell_agent(r, argc, argv, "api");
}

static char *run_agent_listen(struct request *r, int argc, char **argv, struct buf *json)
{
	(void)json;
	return tell_agent(r, argc, argv, "listen");
}

static char *run_wait(struct request *r, int argc, char **argv, struct buf *json)
{
	(void)json;
	if (argc > 1 && !strcmp(argv[1], "registered"))
		r->want = WANT_REGISTERED;
	else if (argc > 1 && !strcmp(argv[1], "recovered"))
		r->want = WANT_RECOVERED;
	else
		return lab_strdup("wait registered|recovered");
	return pick_agent(r, argc, argv);
}

static char *run_status(struct request *r, int argc, char **argv, struct buf *json)
{
	(void)argc;
	(void)argv;
	node_status(r->node, json);
	return NULL;
}

static char *run_conntrack(struct request *r, int argc, char **argv, struct buf *json)
{
	bool on = argc > 1 && !strcmp(argv[1], "on");
	int err;

	(void)json;
	if (argc != 2 || (!on && strcmp(argv[1], "off")))
		return lab_strdup("conntrack on|off");
	err = netns_firewall(r->node->ns, on);
	return err ? lab_fmt("nft: %s", strerror(-err)) : NULL;
}

static char *run_down(struct request *r, int argc, char **argv, struct buf *json)
{
	(void)argc;
	(void)argv;
	(void)json;
	request_answer(r, NULL, NULL);
	node_end(r->node);
}

static const struct command commands[] = {
	{ "status", run_status },
	{ "wait", run_wait },
	{ "restart-agent", run_restart_agent },
	{ "stop-agent", run_stop_agent },
	{ "start-agent", run_start_agent },
	{ "release", run_release },
	{ "remove-agent", run_remove_agent },
	{ "agent-api", run_agent_api },
	{ "agent-listen", run_agent_listen },
	{ "conntrack", run_conntrack },
	{ "down", run_down },
};

static char *run_command(struct request *r, int argc, char **argv, struct buf *json)
{
	char *why = NULL;

	for (size_t i = 0; argc && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[0], commands[i].name))
			return commands[i].run(r, argc, argv, json);
	if (argc && node_select_command(r->node, argc, argv, json, &why))
		return why;
	return lab_fmt("unknown command '%s'", argc ? argv[0] : "");
}

static void request_run(struct request *r, int argc, char **argv)
{
	struct buf json = { 0 };
	char *why;

	r->want = WANT_NOTHING;
	why = run_command(r, argc, argv, &json);
	if (why || r->want == WANT_NOTHING)
		request_answer(r, why, &json);
	else
		r->patience = loop_after(r->node->loop, PATIENCE_MS, request_timed_out, r);
	free(why);
	buf_free(&json);
}

static void ctl_data(struct conn *c)
{
	struct request *r = c->arg;
	char *argv[ARGS_MAX] = { 0 }, *key, *value;
	const char *line = c->in.data;
	int argc = 0;

	if (!r || !memchr(c->in.data, '\n', c->in.len))
		return;
	while (argc < ARGS_MAX && word_next(&line, &key, &value)) {
		argv[argc++] = key;
		free(value);
	}
	request_run(r, argc, argv);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	if (c->fd >= 0)
		buf_drop(&c->in, c->in.len);
}

static void ctl_closed(struct conn *c, int err)
{
	struct request *r = c->arg;

	(void)err;
	if (r && r->want == WANT_COMMAND)
		request_free(r);
	else if (r)
		r->conn = NULL;
	conn_close(c);
}

/* The rest of a long answer is out. */
static void ctl_sent(struct conn *c)
{
	if (!c->arg)
		conn_close(c);
}

static const struct conn_ops ctl_ops = { .data = ctl_data, .closed = ctl_closed, .sent = ctl_sent };

static void ctl_accept(void *arg, uint32_t events)
{
	struct node *n = arg;
	int fd;

	(void)events;
	while ((fd = accept4(n->ctl_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct request *r = lab_calloc(1, sizeof(*r));

		*r = (struct request){ .next = n->requests, .node = n };
		n->requests = r;
		r->conn = conn_new(n->loop, fd, &ctl_ops, r);
	}
}

void node_ctl_listen(struct node *n)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/ctl.sock", n->dir) >=
	    (int)sizeof(at.sun_path))
		lab_die("'%s' is too long for a socket's path", n->dir);
	unlink(at.sun_path);
	n->ctl_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (n->ctl_fd < 0 || bind(n->ctl_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(n->ctl_fd, 64) < 0)
		lab_die("socket '%s': %s", at.sun_path, strerror(errno));
	loop_watch(n->loop, n->ctl_fd, EPOLLIN, ctl_accept, n);
}
