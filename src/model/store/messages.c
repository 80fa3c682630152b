/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/messages.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "mesos/upid.h"
#include "model/store/agent_choice.h"
#include "model/store/apply.h"
#include "model/store/checkpoints.h"
#include "model/store/connection_index.h"
#include "model/store/connections.h"
#include "model/store/links.h"
#include "model/store/memory.h"
#include "model/store/processes.h"
#include "model/store/task_ends.h"

typedef void (*note_fn)(struct process *process, const struct fact *fact);

static void note_asked(struct process *process, const struct fact *fact)
{
	if (fact->mono > process->history.asked)
		process->history.asked = fact->mono;
}

static void note_registered(struct process *process, const struct fact *fact)
{
	struct registration *h = &process->history;

	if (fact->mono > h->registered) {
		h->registered = fact->mono;
		h->registrar = fact->message.pid;
		h->registrar_start = fact->message.start;
	}
	if (fact->mono < h->down_since)
		return;
	h->down_since = 0;
	h->down_twice = 0;
}

static void note_shutdown_sent(struct process *process, const struct fact *fact)
{
	process->history.shutdown_sent = fact->mono;
}

static void note_answered(struct process *process, const struct fact *fact)
{
	process->history.answered = fact->mono;
}

static void note_kill_asked(struct process *process, const struct fact *fact)
{
	process->history.kill_asked = fact->mono;
}

/* Older recordings have the status in the name only. */
static int32_t status_of(const struct fact_message *message)
{
	return message->status ? message->status : (int32_t)strtol(message->name, NULL, 10);
}

/*
 * An agent that does not know the executor (it has another id) answers SUBSCRIBE with 400 each
 * time, and leaves the connection as it is (Mesos slave/http.cpp, executor()).
 */
static void note_subscribe_answer(struct process *process, const struct fact *fact)
{
	struct registration *h = &process->history;
	int32_t status = status_of(&fact->message);

	if (fact->mono < h->register_sent)
		return; /* it waited for its ends to be known; the executor has asked again since */
	h->subscribe_on = 0;
	if (status == 200 && h->register_sent) {
		note_registered(process, fact);
		h->refused = 0;
	} else if (status >= 400 && status < 500) {
		h->refused = fact->mono;
		h->refused_with = status;
	}
}

/* The receiver that the body names decides. */
static bool is_for(const struct process *process, const struct fact *fact)
{
	const char *executor_id = fact->message.executor_id;

	return !executor_id || !*executor_id ||
	       strcmp(executor_id, process->facts.executor_id) == 0;
}

static void note_holders(struct store *store, const struct connection *conn, note_fn note,
			 const struct fact *fact)
{
	struct process *process = store_executor_find(store, conn->owner, conn->owner_start);

	if (process && is_for(process, fact))
		note(process, fact);
	for (size_t i = 0; i < conn->n_holders; i++) {
		struct process *holder =
			store_executor_find(store, conn->holders[i].pid, conn->holders[i].start);

		if (holder && holder != process && is_for(holder, fact))
			note(holder, fact);
	}
}

/*
 * The executor that listens at the message's destination, in the sender's namespace.
 */
static struct connection *listener_find(const struct store *store,
					const struct fact_message *message)
{
	struct ew_addr none[2] = { { .port = 0 }, addr_from_v4("\0\0\0", 0) };

	for (size_t i = 0; i < 6; i++) {
		struct ew_addr local = i < 2 ? message->remote : none[i / 2 - 1];
		struct connection *conn;

		local.port = message->remote.port;
		conn = store_connection_at(store, message->netns, &local, &none[i % 2]);
		if (conn && conn->facts.state == TCP_LISTEN)
			return conn;
	}
	return NULL;
}

/* The address of its libprocess by its checkpoint, until its own messages tell it. */
static const struct ew_addr *answered_at(const struct store *store, struct process *process)
{
	struct ew_addr *addr = &process->history.answered_at;
	const struct checkpoint *checkpoint;
	struct mesos_upid upid;

	if (addr->port || !process->known)
		return addr;
	checkpoint = store_checkpoint_find(store, &process->facts);
	if (checkpoint && mesos_upid_parse(mesos_span_of(checkpoint->facts.upid), &upid) == 0)
		*addr = upid.addr;
	return addr;
}

/* The listener there is not known. */
static void to_answered(struct store *store, const struct fact *fact, note_fn note)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (process->facts.netns == fact->message.netns &&
		    addr_equal(answered_at(store, process), &fact->message.remote) &&
		    is_for(process, fact))
			note(process, fact);
	}
}

/* The end of a message's connection that received it; NULL: it is not known. */
static struct connection *receiving_end(const struct store *store, const struct fact_message *m)
{
	struct connection sending = {
		.facts = { .netns = m->netns, .local = m->local, .remote = m->remote }
	};
	struct connection *there = store_peer(store, &sending);

	if (!there)
		there = store_peer_advertised(store, &sending);
	return there ? there : store_peer_untranslated(store, m->netns, &m->local, &m->remote);
}

/* The receiver holds the other end; when that was not seen, it listens on the port sent to. */
static void to_receiver(struct store *store, const struct fact *fact, note_fn note)
{
	struct connection *there = receiving_end(store, &fact->message);

	if (!there || (!there->owner && !there->n_holders))
		there = listener_find(store, &fact->message);
	if (there)
		note_holders(store, there, note, fact);
	else
		to_answered(store, fact, note);
}

/* It may exit before /proc is read, and was an executor all the same. */
static void ids_said(struct store *store, const struct fact *fact)
{
	struct process *process = store_process(store, fact->message.pid, fact->message.start);

	if (!process || process->known || !fact->message.executor_id)
		return;
	process->said_executor_id = store_text(store, fact->message.executor_id);
	process->said_framework_id = store_text(store, fact->message.framework_id);
}

static void register_sent(struct store *store, const struct fact *fact, bool v1)
{
	struct process *process =
		store_executor_find(store, fact->message.pid, fact->message.start);
	struct mesos_upid upid;

	if (!process)
		ids_said(store, fact);
	if (!process || !is_for(process, fact))
		return;
	process->history.register_sent = fact->mono;
	if (mesos_upid_parse(mesos_span_of(fact->message.from), &upid) == 0)
		process->history.answered_at = upid.addr;
	process->history.subscribe_on = v1 ? fact->message.cookie : 0;
}

enum noted {
	NOTED,
	NOTED_SENDER_UNKNOWN, /* neither an executor nor, as yet, the agent */
	NOTED_ENDS_UNKNOWN,   /* an entry that tells the receiver may be read later */
};

/* An answer on a connection of the executor's. */
static enum noted http_answer(struct store *store, const struct fact *fact)
{
	struct connection *there = receiving_end(store, &fact->message);
	struct process *process;

	if (!there)
		return store->translates ? NOTED_ENDS_UNKNOWN : NOTED;
	process = store_executor_find(store, there->owner, there->owner_start);
	for (size_t i = 0; !process && i < there->n_holders; i++)
		process =
			store_executor_find(store, there->holders[i].pid, there->holders[i].start);
	if (!process)
		return NOTED;
	if (status_of(&fact->message) / 100 == 2)
		note_answered(process, fact);
	if (process->history.subscribe_on == there->facts.cookie)
		note_subscribe_answer(process, fact);
	return NOTED;
}

/* Messages of the agent count only when the agent sent them. */
static enum noted agents_message(struct store *store, const struct fact *fact)
{
	static const struct {
		const char *name;
		note_fn note;
	} from_agent[] = {
		{ "ReconnectExecutorMessage", note_asked },
		{ "ExecutorRegisteredMessage", note_registered },
		{ "ExecutorReregisteredMessage", note_registered },
		{ "ShutdownExecutorMessage", note_shutdown_sent },
		{ "SHUTDOWN", note_shutdown_sent },
		{ "KillTaskMessage", note_kill_asked },
		{ "StatusUpdateAcknowledgementMessage", note_answered },
	};
	const char *name = fact->message.name;

	if (status_of(&fact->message))
		return http_answer(store, fact);
	for (size_t i = 0; i < sizeof(from_agent) / sizeof(from_agent[0]); i++)
		if (strcmp(name, from_agent[i].name) == 0)
			to_receiver(store, fact, from_agent[i].note);
	return NOTED;
}

/* A killed watch may have left the events of a whole window of a large node in the rings. */
#define EARLY_MAX 65536

/* Hooks fire before the first scan has identified the processes. */
static void keep_early(struct store *store, const struct fact *fact)
{
	struct fact kept = *fact;

	if (store->early.n >= EARLY_MAX || !store_reserve(store, store->early))
		return;
	kept.message.name = store_text(store, fact->message.name);
	kept.message.from = store_text(store, fact->message.from);
	kept.message.executor_id = store_text(store, fact->message.executor_id);
	kept.message.framework_id = store_text(store, fact->message.framework_id);
	kept.message.task_id = store_text(store, fact->message.task_id);
	kept.message.task_state = store_text(store, fact->message.task_state);
	store->early.v[store->early.n++] = kept;
}

/* Sent by the process itself: its tasks share its environment, but not its pid. */
static bool update_sent(struct store *store, const struct fact *fact)
{
	struct process *process =
		store_executor_find(store, fact->message.pid, fact->message.start);

	if (process && is_for(process, fact))
		store_apply_task_message(store, process, fact);
	return process != NULL;
}

/* Names: mesos/message.h. */
static enum noted message_note(struct store *store, const struct fact *fact)
{
	const char *name = fact->message.name;

	if (strcmp(name, "RegisterExecutorMessage") == 0 ||
	    strcmp(name, "ReregisterExecutorMessage") == 0)
		register_sent(store, fact, false);
	else if (strcmp(name, "SUBSCRIBE") == 0)
		register_sent(store, fact, true);
	else if (strcmp(name, "StatusUpdateMessage") == 0 || strcmp(name, "UPDATE") == 0)
		return update_sent(store, fact) ? NOTED : NOTED_SENDER_UNKNOWN;
	else if (store_is_agent(store, fact->message.pid, fact->message.start))
		return agents_message(store, fact);
	else if (!store_executor_find(store, fact->message.pid, fact->message.start))
		return NOTED_SENDER_UNKNOWN;
	return NOTED;
}

/* Its ends are known, or never will be, once a scan of connection tracking began after it. */
static bool may_be_noted_later(const struct store *store, const struct fact *fact)
{
	return store->tracked != store->snapshot || fact->mono >= store->snapshot_began;
}

void store_apply_early_messages(struct store *store)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->early.n; i++) {
		struct fact *fact = &store->early.v[i];

		if (message_note(store, fact) == NOTED_ENDS_UNKNOWN &&
		    may_be_noted_later(store, fact))
			store->early.v[kept++] = *fact;
	}
	store->early.n = kept;
	store->early_unplaced = kept != 0;
}

void store_apply_message(struct store *store, const struct fact *fact)
{
	enum noted noted = NOTED_SENDER_UNKNOWN;

	connection_note_message(store, fact);
	if (store->complete & SCAN_PROCESSES)
		noted = message_note(store, fact);
	if (noted != NOTED)
		keep_early(store, fact);
	store->early_unplaced |= noted == NOTED_ENDS_UNKNOWN;
}
