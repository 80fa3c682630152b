/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>

#include "base/addr.h"
#include "model/store.h"

static struct process *executor_find(const struct store *store, int32_t pid, uint64_t start)
{
	struct process *process = store_process_find(store, pid, start);

	return process && process->known && *process->facts.executor_id ? process : NULL;
}

static bool has_other_link(const struct store *store, const struct process *process,
			   const struct connection *except)
{
	const struct connection *conn, *next;

	HASH_ITER(hh, store->connections, conn, next) {
		if (conn != except && conn->facts.state == TCP_ESTABLISHED &&
		    connection_is_link(store, conn) &&
		    connection_is_of(conn, process->key.pid, process->key.start))
			return true;
	}
	return false;
}

/*
 * The driver's exited() (Mesos exec.cpp): the first end of its link starts the recovery timer, a
 * second one before it has registered again makes it shut down at once. A relink opens the new
 * connection before it drops the old one, which is no end.
 */
static void link_ended(struct store *store, struct process *process, struct connection *conn,
		       int64_t mono)
{
	struct history *h = &process->history;

	if (has_other_link(store, process, conn))
		return;
	/* Connections and messages come by two roads: what happened before the registration ends no link of it. */
	if (mono <= h->registered)
		return;
	/* Sent and dropped again while there was no link (a status update): not a link's end. */
	if (h->down_since && conn->established_at > h->down_since && h->asked < h->down_since)
		return;
	if (h->down_since) {
		h->down_twice = true;
		return;
	}
	h->down_since = mono;
	h->last_down = mono;
}

static void link_ended_of(struct store *store, int32_t pid, uint64_t start,
			  struct connection *conn, int64_t mono)
{
	struct process *process = executor_find(store, pid, start);

	if (process && !process->ended && !process->vanished)
		link_ended(store, process, conn, mono);
}

void history_link_ended(struct store *store, struct connection *conn, int64_t mono)
{
	if (!connection_is_link(store, conn))
		return;
	if (conn->owner) {
		link_ended_of(store, conn->owner, conn->owner_start, conn, mono);
		return;
	}
	for (size_t i = 0; i < conn->n_holders; i++)
		link_ended_of(store, conn->holders[i].pid, conn->holders[i].start, conn, mono);
}

/* ---- messages ---- */

typedef void (*note_fn)(struct process *process, const struct fact *fact);

static void note_asked(struct process *process, const struct fact *fact)
{
	process->history.asked = fact->mono;
}

static void note_registered(struct process *process, const struct fact *fact)
{
	struct history *h = &process->history;

	h->registered = fact->mono;
	if (fact->mono < h->down_since)
		return;
	h->down_since = 0;
	h->down_twice = false;
}

static void note_told_to_end(struct process *process, const struct fact *fact)
{
	process->history.told_to_end = fact->mono;
}

static void note_v1_answer(struct process *process, const struct fact *fact)
{
	if (process->history.subscribe_on && process->history.register_sent)
		note_registered(process, fact);
	process->history.subscribe_on = 0;
}

static void note_holders(struct store *store, const struct connection *conn, note_fn note,
			 const struct fact *fact)
{
	struct process *process = executor_find(store, conn->owner, conn->owner_start);

	if (process)
		note(process, fact);
	for (size_t i = 0; i < conn->n_holders; i++) {
		struct process *holder = executor_find(store, conn->holders[i].pid,
						       conn->holders[i].start);

		if (holder && holder != process)
			note(holder, fact);
	}
}

/* Who listens where a message was sent to: libprocess' own port of an executor. */
static struct connection *listener_find(const struct store *store, const struct ew_addr *addr)
{
	struct connection *conn, *next;

	HASH_ITER(hh, store->connections, conn, next) {
		if (conn->facts.state == TCP_LISTEN && conn->facts.local.port == addr->port &&
		    (addr_is_any(&conn->facts.local) || addr_ip_equal(&conn->facts.local, addr)))
			return conn;
	}
	return NULL;
}

/* The receiver holds the other end; when that was not seen, it listens on the port sent to. */
static void to_receiver(struct store *store, const struct fact *fact, note_fn note)
{
	struct connection here = { .facts = { .netns = fact->message.netns,
					      .local = fact->message.local,
					      .remote = fact->message.remote } };
	struct connection *there = store_peer(store, &here);

	if (!there || (!there->owner && !there->n_holders))
		there = listener_find(store, &fact->message.remote);
	if (there)
		note_holders(store, there, note, fact);
}

static void register_sent(struct store *store, const struct fact *fact, bool v1)
{
	struct process *process = executor_find(store, fact->message.pid, fact->message.start);

	if (!process)
		return;
	process->history.register_sent = fact->mono;
	process->history.subscribe_on = v1 ? fact->message.cookie : 0;
}

static void v1_answer(struct store *store, const struct fact *fact)
{
	struct connection here = { .facts = { .netns = fact->message.netns,
					      .local = fact->message.local,
					      .remote = fact->message.remote } };
	struct connection *there = store_peer(store, &here);
	struct process *process;

	if (!there)
		return;
	process = executor_find(store, there->owner, there->owner_start);
	for (size_t i = 0; !process && i < there->n_holders; i++)
		process = executor_find(store, there->holders[i].pid, there->holders[i].start);
	if (process && process->history.subscribe_on == there->cookie)
		note_v1_answer(process, fact);
}

/* Names: mesos/message.h. Only what an agent sends counts as the agent's. */
void history_message(struct store *store, const struct fact *fact)
{
	static const struct {
		const char *name;
		note_fn note;
	} from_agent[] = {
		{ "ReconnectExecutorMessage", note_asked },
		{ "ExecutorRegisteredMessage", note_registered },
		{ "ExecutorReregisteredMessage", note_registered },
		{ "ShutdownExecutorMessage", note_told_to_end },
	};
	const char *name = fact->message.name;

	if (strcmp(name, "RegisterExecutorMessage") == 0 ||
	    strcmp(name, "ReregisterExecutorMessage") == 0) {
		register_sent(store, fact, false);
		return;
	}
	if (strcmp(name, "SUBSCRIBE") == 0) {
		register_sent(store, fact, true);
		return;
	}
	if (!store_is_agent(store, fact->message.pid, fact->message.start))
		return;
	if (strncmp(name, "200", 3) == 0) {
		v1_answer(store, fact);
		return;
	}
	for (size_t i = 0; i < sizeof(from_agent) / sizeof(from_agent[0]); i++)
		if (strcmp(name, from_agent[i].name) == 0)
			to_receiver(store, fact, from_agent[i].note);
}

void history_signal(struct store *store, const struct fact *fact)
{
	const struct fact_signal *s = &fact->signal;
	struct process *sender = executor_find(store, s->sender, s->sender_start);

	if (sender && s->pid != s->sender && (s->signal == SIGTERM || s->signal == SIGKILL))
		sender->history.ended_its_task = fact->mono;
}
