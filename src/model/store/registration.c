/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/registration.h"

#include "base/now.h"
#include "model/store/checkpoints.h"
#include "model/store/connection_rows.h"
#include "model/store/links.h"
#include "model/store/process_connections.h"
#include "model/store/processes.h"
#include <netinet/tcp.h>

static bool has_other_link(const struct store *store, const struct process *process,
			   const struct connection *except)
{
	const struct process_key *key = &process->key;
	size_t n;
	const uint64_t *cookies = store_process_connections(store, key->pid, key->start, &n);

	for (size_t i = 0; i < n; i++) {
		const struct connection *conn = store_connection_find(store, cookies[i]);

		if (conn && conn != except && conn->facts.state == TCP_ESTABLISHED &&
		    connection_is_of(conn, key->pid, key->start) &&
		    connection_is_link_of(store, conn, process))
			return true;
	}
	return false;
}

static bool is_v1(const struct store *store, const struct process *process)
{
	const struct checkpoint *checkpoint = store_checkpoint_find(store, &process->facts);

	return checkpoint && checkpoint->facts.http;
}

static void clock_begins(struct registration *h, int64_t mono)
{
	h->down_since = mono;
	h->last_down = mono;
}

static void ends_twice(struct registration *h, int64_t mono)
{
	h->down_twice = mono;
	h->last_twice = mono;
}

/* A connection for one message (a status update of a driver without a link) lives for milliseconds.
 */
#define TEMPORARY (5 * NS_PER_S)

static void ended_again(struct store *store, struct process *process, const struct connection *conn,
			int64_t mono)
{
	struct registration *h = &process->history;

	if (conn->established_at <= h->down_since)
		return; /* it is one of those that ended then */
	if (is_v1(store, process))
		clock_begins(h, mono); /* connecting had stopped its clock (Mesos executor.cpp,
					  connected()) */
	else if (h->asked >= h->down_since)
		ends_twice(h, mono);
	else if (mono - conn->established_at > TEMPORARY)
		clock_begins(
			h, mono); /* it had linked and registered again, and no message was seen */
}

/*
 * The driver's exited() (Mesos exec.cpp): the first end of its link starts the recovery timer, a
 * second one before it has registered again makes it shut down at once. A relink opens the new
 * connection before it drops the old one, which is no end.
 */
static void link_ended(struct store *store, struct process *process, struct connection *conn,
		       int64_t mono)
{
	struct registration *h = &process->history;

	if (has_other_link(store, process, conn))
		return;
	if (h->down_since) {
		ended_again(store, process, conn, mono);
	} else if (mono > h->registered) {
		clock_begins(h, mono);
	} else if (mono > h->last_down) {
		/* Connections and messages arrive by different rings: it has registered since. */
		h->last_down = mono;
	}
}

static void link_ended_of(struct store *store, int32_t pid, uint64_t start, struct connection *conn,
			  int64_t mono)
{
	struct process *process = store_executor_find(store, pid, start);

	if (process_is_alive(process) && connection_is_link_of(store, conn, process))
		link_ended(store, process, conn, mono);
}

void registration_link_ended(struct store *store, struct connection *conn, int64_t mono)
{
	if (!connection_is_link(store, conn))
		return;
	link_ended_of(store, conn->owner, conn->owner_start, conn, mono);
	for (size_t i = 0; i < conn->n_holders; i++) {
		const struct holder *h = &conn->holders[i];

		if (h->pid != conn->owner || h->start != conn->owner_start)
			link_ended_of(store, h->pid, h->start, conn, mono);
	}
}

/* Asked to reconnect, it was refused: for the driver this is an end of its link as well. */
void registration_link_refused(struct store *store, const struct connection *conn, int64_t mono)
{
	struct process *process = store_executor_find(store, conn->owner, conn->owner_start);

	if (process && connection_is_link(store, conn) &&
	    connection_is_link_of(store, conn, process) && !is_v1(store, process) &&
	    process->history.down_since && process->history.asked >= process->history.down_since)
		ends_twice(&process->history, mono);
}
