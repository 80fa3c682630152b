/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/tracking.h"

#include "model/store/apply.h"
#include "model/store/connection_rows.h"
#include "model/store/memory.h"

void store_netns_note(struct store *store, uint64_t inode)
{
	for (size_t i = 0; i < store->namespaces.n; i++)
		if (store->namespaces.v[i].inode == inode)
			return;
	if (store_reserve(store, store->namespaces))
		store->namespaces.v[store->namespaces.n++] = (struct netns){ .inode = inode };
}

void store_apply_ct_active(struct store *store, const struct fact *fact)
{
	const struct netns told = { .inode = fact->ct_active.netns,
				    .ct_active = fact->ct_active.in_force,
				    .seen = store->snapshot,
				    .entries = fact->ct_active.entries,
				    .limit = fact->ct_active.limit,
				    .established = fact->ct_active.established };

	for (size_t i = 0; i < store->namespaces.n; i++) {
		if (store->namespaces.v[i].inode == told.inode) {
			store->namespaces.v[i] = told;
			return;
		}
	}
	if (store_reserve(store, store->namespaces))
		store->namespaces.v[store->namespaces.n++] = told;
}

static struct entry *entry_oldest(struct connection *conn)
{
	struct entry *oldest = &conn->entries[0];

	for (size_t i = 1; i < conn->n_entries; i++)
		if (conn->entries[i].seen < oldest->seen)
			oldest = &conn->entries[i];
	return oldest;
}

void store_apply_entry(struct store *store, const struct fact *fact)
{
	const struct fact_ct_entry *e = &fact->ct_entry;
	struct connection *conn = store_connection_find(store, e->cookie);
	struct entry found = {
		.netns = e->netns,
		.seen = store->snapshot,
		.present = e->present,
		.translated = e->translated,
		.expires_at = e->timeout < 0 ? -1 : fact->mono + e->timeout,
		.reply_local = e->reply_local,
		.reply_remote = e->reply_remote,
	};

	if (!conn)
		return;
	store->translates |= found.translated;
	for (size_t i = 0; i < conn->n_entries; i++) {
		if (conn->entries[i].netns == e->netns) {
			conn->entries[i] = found;
			return;
		}
	}
	if (conn->n_entries < ENTRIES_MAX)
		conn->entries[conn->n_entries++] = found;
	else
		*entry_oldest(conn) = found; /* the way has changed */
}

void store_apply_firewall(struct store *store, const struct fact *fact)
{
	const struct fact_firewall *f = &fact->firewall;
	struct connection *conn = store_connection_find(store, f->cookie);

	if (!conn)
		return;
	conn->firewall = (struct firewall){
		.netns = f->netns,
		.seen = store->snapshot,
		.accepted = f->accepted,
		.untracked = f->untracked,
		.rule = store_text(store, f->rule),
		.cure = store_text(store, f->cure),
		.not_judged = store_text(store, f->not_judged),
	};
}

void store_apply_keepalive(struct store *store, const struct fact *fact)
{
	const struct fact_keepalive *k = &fact->keepalive;
	struct connection *conn = store_connection_find(store, k->cookie);

	if (!conn)
		return;
	conn->keepalive = (struct conn_keepalive){
		.seen = store->snapshot,
		.on = k->on == EW_YES,
		.idle = k->idle,
		.interval = k->interval,
		.count = k->count,
		.next_at = k->probe_in < 0 ? -1 : fact->mono + k->probe_in,
	};
}
