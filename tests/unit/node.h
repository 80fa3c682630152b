/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A simulated node: an agent, executors, their links, and what happens to them. It keeps the
 * state that the kernel and the disk would have and emits the facts that observers would put: hooks
 * at once (unless n->hooks is false), everything else with node_snapshot().
 *
 * Headers only: a test includes this one and needs nothing but the library. Seconds are whole; time
 * moves by node_wait() alone, and by a microsecond with each fact.
 */
#ifndef EW_TEST_NODE_H
#define EW_TEST_NODE_H

#include <netinet/tcp.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "facts.h"
#include "model/model.h"

#define NODE_SECOND   1000000000LL
#define NODE_PORT     5051
#define NODE_HOST_NS  4026531840ULL
#define NODE_WALL     (1764000000LL * NODE_SECOND) /* wall clock - mono */
#define NODE_AGENT_ID "b3a1-S0"

struct node_hold {
	int pid, fd;
};

struct node_sock {
	uint64_t cookie, netns, inode;
	struct ew_addr local, remote;
	uint32_t state;	   /* TCP_CLOSE: no more */
	bool translated;   /* its peer has other addresses, as the entry tells */
	enum ew_tri entry; /* what conntrack has of it */
	int64_t idle;
	struct node_hold holds[4];
	size_t n_holds;
	bool unseen;  /* no snapshot shows it */
	int keepidle; /* s; keepalive runs, and the next probe is in so long; 0: it does not */
	struct node_sock *peer;
};

/* Properties of an executor; zeros are the usual ones: v0, Mesos 1.0.4, registered, linked,
 * entry. */
struct node_spec {
	const char *framework, *container, *version, *slave_pid, *slave_id, *comm, *domain_socket;
	const char *state, *cgroup; /* of its threads; in systemd's hierarchy */
	uint64_t netns, pidns;
	int64_t in_state;
	int tracer, pidns_init;
	enum ew_tri frozen;
	int unix_links; /* connections to the agent's domain socket */
	int backoff;	/* s; 0: not set */
	int timeout;	/* s; 0: 900 */
	int grace;	/* s; 0: not set */
	int pid, ppid;
	int forked_late;  /* s from forked.pid to its begin; 0: its time is not known */
	bool overwritten; /* its environment has no Mesos variables any more */
	enum ew_tri entry;
	enum ew_tri recoverable;
	const char *obstacle;
	bool v1, unregistered, unlinked, half_open, no_checkpoint, no_library, no_listener, dark,
		helper, completed;
};

struct node_proc {
	char id[40];
	struct node_spec spec;
	int pid, ppid;
	uint64_t start;
	int port; /* of its listener */
	bool task_over;
	bool alive, unseen, is_executor; /* no task, helper, wrapper or copy */
	struct node_sock *links[2];
	struct node_sock *listener;
};

struct node {
	struct model *model, *twin;  /* both get the same facts */
	const struct fact_sink *tap; /* NULL, or gets them too */
	int64_t now;
	bool hooks, quiet;
	uint32_t scope; /* of a snapshot; default all */
	uint32_t fails; /* scopes that are not completed */
	enum ew_tri tracking, tracking_there;
	int established; /* s that an idle link keeps an entry, as the sysctl says; 0: not reported
			  */
	int entry_left;	 /* s until each entry expires; 0: 432000 */
	uint64_t next_cookie;
	int next_pid, next_port, next_fd;
	int agent; /* pid; 0: down */
	struct node_sock *listen;
	const char *agent_comm;
	const char *unit, *kill_mode; /* the agent's; NULL: not reported */
	uint64_t agent_pidns;
	int agent_pidns_init, agent_ppid;
	struct ew_addr agent_addr;
	uint64_t own_netns; /* execwatch's; 0: not known */
	uint64_t agent_ns;
	int api_status;	   /* 200; 503: recovering; 401; 0: no answer */
	int rereg_timeout; /* s; 0: not reported */
	uint32_t answer_nr;
	const char *work_dir_id, *api_id; /* NULL: NODE_AGENT_ID */
	enum ew_tri work_dir_readable;
	int64_t boot_written; /* wall ns; 0: not reported, as in older recordings */
	bool no_work_dir, lists_nobody;
	enum ew_tri same_boot, own_boot; /* of the checkpoints; 0: of this boot */
	enum ew_tri api_complete;
	enum ew_tri latest; /* of meta/slaves; 0: not reported, as in older recordings */
	enum ew_tri elsewhere;
	const char *command, *agent_version;
	const char *script;
	const char *ignored; /* findings, with commas */
	bool latest_runs;    /* the runs on disk are the latest ones */
	struct node_sock *socks[16384];
	size_t n_socks;
	struct node_proc *procs[4096];
	size_t n_procs;
};

static inline void node_emit(struct node *n, struct fact fact)
{
	struct fact_sink sink = model_sink(n->model);

	n->now += 1000;
	if (!fact.mono)
		fact.mono = n->now;
	fact_emit(&sink, &fact);
	if (n->twin) {
		sink = model_sink(n->twin);
		fact_emit(&sink, &fact);
	}
	if (n->tap)
		fact_emit(n->tap, &fact);
}

static inline void node_wait(struct node *n, double seconds)
{
	n->now += (int64_t)(seconds * (double)NODE_SECOND);
}

static inline uint64_t node_start_of(const struct node *n, int pid)
{
	for (size_t i = 0; i < n->n_procs; i++)
		if (n->procs[i]->pid == pid)
			return n->procs[i]->start;
	return (uint64_t)pid * 10; /* clock ticks since boot */
}

static inline struct ew_addr node_addr(const char *text)
{
	struct ew_addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

/* ---- sockets ---- */

static inline void node_tcp(struct node *n, const struct node_sock *s, uint32_t from, uint32_t to,
			    int pid)
{
	if (n->hooks)
		node_emit(n, (struct fact){ .type = FACT_TCP,
					    .tcp = { .cookie = s->cookie,
						     .netns = s->netns,
						     .local = s->local,
						     .remote = s->remote,
						     .from = from,
						     .to = to,
						     .pid = pid,
						     .start = pid ? node_start_of(n, pid) : 0 } });
}

static inline void node_state(struct node *n, struct node_sock *s, uint32_t to, int pid)
{
	uint32_t from = s->state;

	s->state = to;
	node_tcp(n, s, from, to, pid);
}

static inline struct node_sock *node_socket(struct node *n, const char *local, const char *remote,
					    uint64_t netns, int pid)
{
	struct node_sock *s = calloc(1, sizeof(*s));

	s->cookie = ++n->next_cookie;
	s->inode = s->cookie + 100000;
	s->netns = netns;
	s->local = node_addr(local);
	s->remote = node_addr(remote);
	s->state = TCP_CLOSE;
	s->entry = EW_YES;
	s->idle = -1;
	if (pid)
		s->holds[s->n_holds++] = (struct node_hold){ pid, ++n->next_fd };
	n->socks[n->n_socks++] = s;
	return s;
}

/* A connection between two processes; returns the end of `from`. */
static inline struct node_sock *node_connect(struct node *n, int from, uint64_t from_ns, int to,
					     uint64_t to_ns, const char *remote)
{
	char local[64];
	struct node_sock *a, *b = NULL;

	snprintf(local, sizeof(local), from_ns == to_ns ? "10.0.0.7:%d" : "172.17.0.2:%d",
		 ++n->next_port);
	a = node_socket(n, local, remote, from_ns, from);
	node_state(n, a, TCP_SYN_SENT, from);
	if (to) {
		b = node_socket(n, remote, local, to_ns, to);
		node_state(n, b, TCP_ESTABLISHED, to);
		b->peer = a;
		a->peer = b;
	}
	node_state(n, a, TCP_ESTABLISHED, from);
	return a;
}

/* Its owner closes it; the other end hears of it unless the FIN is lost. */
static inline void node_close(struct node *n, struct node_sock *s, int pid, bool fin_arrives)
{
	struct node_sock *peer = s->peer;

	if (!s || s->state != TCP_ESTABLISHED)
		return;
	s->n_holds = 0;
	s->inode = 0;
	node_state(n, s, TCP_FIN_WAIT1, pid);
	if (!fin_arrives)
		return;
	if (peer && peer->state == TCP_ESTABLISHED) {
		node_state(n, peer, TCP_CLOSE_WAIT, 0);
		node_state(n, peer, TCP_CLOSE, 0);
		peer->n_holds = 0;
	}
	node_state(n, s, TCP_CLOSE, 0);
}

/* ---- the agent ---- */

static inline void node_agent_start(struct node *n)
{
	char text[64];

	n->agent = ++n->next_pid;
	n->listen =
		node_socket(n, addr_text(&n->agent_addr, text), "0.0.0.0:0", n->agent_ns, n->agent);
	n->api_status = 503;
	node_state(n, n->listen, TCP_LISTEN, n->agent);
}

static inline void node_exit_emit(struct node *n, int pid, uint64_t start, int status, int killer)
{
	if (n->hooks)
		node_emit(n, (struct fact){ .type = FACT_EXIT,
					    .exit = { .pid = pid,
						      .start = start,
						      .status = status,
						      .signal = status & 0x7f,
						      .killer = killer,
						      .killer_start =
							      killer ? node_start_of(n, killer) : 0,
						      .killer_comm = killer == n->agent && killer
									     ? n->agent_comm
									     : "someone" } });
}

/* The agent's process ends. A link without an entry, where tracking is in force, gets no FIN. */
static inline void node_agent_stop(struct node *n)
{
	int pid = n->agent;

	node_exit_emit(n, pid, node_start_of(n, pid), 0, 0);
	node_state(n, n->listen, TCP_CLOSE, pid);
	n->listen->n_holds = 0;
	n->agent = 0;
	n->api_status = 0;
	for (size_t i = 0; i < n->n_socks; i++) {
		struct node_sock *s = n->socks[i];

		if (s->state == TCP_ESTABLISHED && s->n_holds == 1 && s->holds[0].pid == pid)
			node_close(n, s, pid,
				   !s->peer || n->tracking != EW_YES || s->peer->entry == EW_YES);
	}
}

/* ---- executors ---- */

static inline struct node_sock *node_link(struct node *n, struct node_proc *p)
{
	char text[64];
	struct ew_addr remote = n->agent_addr;
	struct node_sock *s;

	if (addr_is_any(&remote))
		remote = node_addr("10.0.0.7:5051");
	s = node_connect(n, p->pid, p->spec.netns, n->agent, n->agent_ns, addr_text(&remote, text));
	s->entry = p->spec.entry;
	p->links[p->links[0] && p->links[0]->state == TCP_ESTABLISHED ? 1 : 0] = s;
	return s;
}

static inline struct node_proc *node_process_(struct node *n, const char *id, struct node_spec spec)
{
	struct node_proc *p = calloc(1, sizeof(*p));

	snprintf(p->id, sizeof(p->id), "%s", id);
	spec.framework = spec.framework ? spec.framework : "fw-0000";
	spec.container = spec.container ? spec.container : p->id;
	spec.slave_pid = spec.slave_pid ? spec.slave_pid : "slave(1)@10.0.0.7:5051";
	spec.slave_id = spec.slave_id ? spec.slave_id : NODE_AGENT_ID;
	spec.version = spec.version ? spec.version : "1.0.4";
	spec.comm = spec.comm ? spec.comm : spec.helper ? "sleep" : "mesos-executor";
	spec.netns = spec.netns ? spec.netns : NODE_HOST_NS;
	spec.timeout = spec.timeout ? spec.timeout : 900;
	spec.entry = spec.entry ? spec.entry : EW_YES;
	p->spec = spec;
	p->pid = spec.pid ? spec.pid : ++n->next_pid;
	p->ppid = spec.ppid ? spec.ppid : 1;
	p->start = (uint64_t)p->pid * 10;
	p->alive = true;
	n->procs[n->n_procs++] = p;
	return p;
}

static inline struct node_proc *node_executor_(struct node *n, const char *id,
					       struct node_spec spec)
{
	struct node_proc *p = node_process_(n, id, spec);
	char text[64];

	p->is_executor = true;
	if (!p->spec.no_listener) {
		p->port = 30000 + p->pid;
		snprintf(text, sizeof(text), "%s:%d",
			 p->spec.netns == NODE_HOST_NS ? "10.0.0.7" : "0.0.0.0", p->port);
		p->listener = node_socket(n, text, "0.0.0.0:0", p->spec.netns, p->pid);
		p->listener->state = TCP_LISTEN;
	}
	for (int i = 0; !p->spec.unlinked && i < 1 + p->spec.v1; i++) {
		bool hooks = n->hooks; /* older than any hook */

		n->hooks = false;
		node_link(n, p);
		n->hooks = hooks;
		if (p->spec.half_open) {
			p->links[i]->peer->state = TCP_CLOSE;
			p->links[i]->peer->n_holds = 0;
		}
	}
	return p;
}
#define node_executor(n, id, ...) node_executor_(n, id, (struct node_spec){ __VA_ARGS__ })

/* A process that has the environment of e, and holds nothing: its task, a helper, a wrapper. */
#define node_helper(n, e, ...)                                                                     \
	node_process_(n, (e)->id,                                                                  \
		      (struct node_spec){                                                          \
			      .helper = true, .no_library = true, .ppid = (e)->pid, __VA_ARGS__ })

static inline void node_hold_too(struct node_sock *s, int pid, int fd)
{
	s->holds[s->n_holds++] = (struct node_hold){ pid, fd };
}

static inline void node_unhold(struct node_sock *s, int pid)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].pid != pid)
			s->holds[kept++] = s->holds[i];
	s->n_holds = kept;
}

/* An executor's process ends: exit status or signal as wait(2) gives it. */
static inline void node_ends(struct node *n, struct node_proc *p, int status, int killer)
{
	p->alive = false;
	node_exit_emit(n, p->pid, p->start, status, killer);
	for (int i = 0; i < 2; i++)
		if (p->links[i])
			node_close(n, p->links[i], p->pid, true);
	if (p->listener)
		node_state(n, p->listener, TCP_CLOSE, p->pid);
}

/* Its link's end of file: v0 closes one, v1 both. */
static inline void node_drops(struct node *n, struct node_proc *p)
{
	for (int i = 0; i < 2; i++)
		if (p->links[i])
			node_close(n, p->links[i], p->pid, true);
}

static inline void node_signal(struct node *n, int sender, int target, int sig)
{
	node_emit(n, (struct fact){ .type = FACT_SIGNAL,
				    .signal = { .pid = target,
						.start = node_start_of(n, target),
						.signal = sig,
						.sender = sender,
						.sender_start = node_start_of(n, sender),
						.sender_comm = "someone" } });
}

/* ---- messages ---- */

static inline void node_send(struct node *n, int pid, const struct node_sock *on, const char *name,
			     const char *executor_id)
{
	if (n->hooks && !n->quiet)
		node_emit(n, (struct fact){ .type = FACT_MESSAGE,
					    .message = { .cookie = on->cookie,
							 .pid = pid,
							 .start = node_start_of(n, pid),
							 .local = on->local,
							 .remote = on->remote,
							 .netns = on->netns,
							 .name = name,
							 .from = "",
							 .executor_id = executor_id ? executor_id
										    : "" } });
}

/* To the executor, on a connection of its own to the port that it listens on. */
static inline void node_tell(struct node *n, struct node_proc *p, const char *name)
{
	char remote[64];
	struct node_sock *s;

	snprintf(remote, sizeof(remote), "10.0.0.7:%d", p->port);
	s = node_connect(n, n->agent, n->agent_ns, p->pid, p->spec.netns, remote);
	node_send(n, n->agent, s, name, NULL);
	node_close(n, s, n->agent, true);
}

/* To the agent: on its link. */
static inline void node_says(struct node *n, struct node_proc *p, const char *name)
{
	node_send(n, p->pid, p->links[0], name, p->id);
}

/* The agent's answer on the connection that the executor asked on. */
static inline void node_answer(struct node *n, struct node_proc *p, const char *name)
{
	node_send(n, n->agent, p->links[0]->peer, name, NULL);
}

/* Its task ends: the last update on its link, and the agent's answer to that. */
static inline void node_task_ends(struct node *n, struct node_proc *p, const char *state)
{
	const struct node_sock *on = p->links[0];

	p->task_over = true;
	if (!n->hooks || n->quiet)
		return;
	node_emit(n,
		  (struct fact){ .type = FACT_MESSAGE,
				 .message = { .cookie = on->cookie,
					      .pid = p->pid,
					      .start = p->start,
					      .local = on->local,
					      .remote = on->remote,
					      .netns = on->netns,
					      .name = p->spec.v1 ? "UPDATE" : "StatusUpdateMessage",
					      .from = "",
					      .executor_id = p->id,
					      .task_id = p->id,
					      .task_state = state } });
	if (on->peer && n->agent)
		node_answer(n, p, "202 Accepted");
}

/* What the agent wrote down, or answers, of a task of its. by: "executor", "agent". */
static inline void node_task_recorded(struct node *n, struct node_proc *p, const char *source,
				      const char *state, const char *by, const char *reason)
{
	p->task_over = true;
	node_emit(n, (struct fact){ .type = FACT_TASK,
				    .task = { .framework_id = p->spec.framework,
					      .executor_id = p->id,
					      .container_id = p->spec.container,
					      .task_id = p->id,
					      .state = state,
					      .reason = reason,
					      .source = source,
					      .wall = n->now + NODE_WALL,
					      .by = by } });
}

/* The whole way back, as an agent that recovers and a healthy executor go it. */
static inline void node_comes_back(struct node *n, struct node_proc *p)
{
	if (p->spec.v1) {
		node_link(n, p);
		node_link(n, p);
		node_says(n, p, "SUBSCRIBE");
		node_answer(n, p, "200 OK");
		return;
	}
	node_tell(n, p, "ReconnectExecutorMessage");
	if (!p->links[0] || p->links[0]->state != TCP_ESTABLISHED)
		node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	node_tell(n, p, "ExecutorReregisteredMessage");
}

#include "node_scan.h"

/* ---- the node ---- */

static inline void node_window(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_SESSION,
				    .session = { .tool = "test",
						 .verb = "run",
						 .host = "node7",
						 .boot_id = "b",
						 .kernel = "6.18",
						 .agent_port = NODE_PORT,
						 .wall_offset = NODE_WALL,
						 .master_timeout = 75 * NODE_SECOND,
						 .netns = n->own_netns,
						 .elsewhere = n->elsewhere,
						 .ignored = n->ignored,
						 .command = n->command,
						 .script = n->script } });
}

static inline struct node *node_new(void)
{
	struct node *n = calloc(1, sizeof(*n));

	n->model = model_new();
	n->now = 100000 * NODE_SECOND;
	n->scope = SCAN_ALL;
	n->tracking = n->tracking_there = EW_YES;
	n->next_pid = 1000;
	n->next_port = 40000;
	n->next_fd = 10;
	n->next_cookie = 7000;
	n->agent_comm = "mesos-agent";
	n->agent_addr = node_addr("10.0.0.7:5051");
	n->agent_ns = NODE_HOST_NS;
	n->work_dir_id = NODE_AGENT_ID;
	n->work_dir_readable = EW_YES;
	node_window(n);
	node_agent_start(n);
	n->api_status = 200;
	n->hooks = true;
	return n;
}

/* The same node, seen by an execwatch that starts now: what was seen before is not known to it. */
static inline void node_watch_anew(struct node *n)
{
	model_free(n->model);
	n->model = model_new();
	node_window(n);
}

static inline void node_free(struct node *n)
{
	for (size_t i = 0; i < n->n_socks; i++)
		free(n->socks[i]);
	for (size_t i = 0; i < n->n_procs; i++)
		free(n->procs[i]);
	model_free(n->model);
	model_free(n->twin);
	free(n);
}

#endif
