/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/conntrack.h"

static const struct netns *conntrack_netns(const struct store *store, uint64_t netns)
{
	for (size_t i = 0; i < store->namespaces.n; i++)
		if (store->namespaces.v[i].inode == netns &&
		    store->namespaces.v[i].seen >= store->tracked)
			return &store->namespaces.v[i];
	return NULL;
}

enum ew_tri conntrack_active(const struct store *store, uint64_t netns)
{
	const struct netns *found = conntrack_netns(store, netns);

	return found ? found->ct_active : EW_UNKNOWN;
}

const struct entry *conntrack_entry(const struct store *store, const struct connection *conn,
				    uint64_t netns)
{
	for (size_t i = 0; store->complete & SCAN_TRACKING && i < conn->n_entries; i++)
		if (conn->entries[i].netns == netns && conn->entries[i].seen >= store->tracked)
			return &conn->entries[i];
	return NULL;
}

bool conntrack_is_full(const struct store *store, uint64_t netns)
{
	const struct netns *found = conntrack_netns(store, netns);

	return found && found->limit && found->entries >= found->limit;
}

static enum conntrack conntrack_in(const struct store *store, const struct connection *conn,
				   uint64_t netns)
{
	enum ew_tri tracking = conntrack_active(store, netns);
	const struct entry *entry = conntrack_entry(store, conn, netns);

	if (!(store->complete & SCAN_TRACKING))
		return CONNTRACK_UNKNOWN; /* of an earlier scan: entries expire */
	if (tracking == EW_NO)
		return CONNTRACK_OFF;
	if (tracking != EW_YES || !entry || entry->present == EW_UNKNOWN)
		return CONNTRACK_UNKNOWN;
	return entry->present == EW_YES ? CONNTRACK_ENTRY : CONNTRACK_NONE;
}

/* Of two namespaces that the FIN crosses: each one that tracks needs an entry. */
static enum conntrack worse_of(enum conntrack a, enum conntrack b)
{
	if (a == CONNTRACK_NONE || b == CONNTRACK_NONE)
		return CONNTRACK_NONE;
	if (a == CONNTRACK_UNKNOWN || b == CONNTRACK_UNKNOWN)
		return CONNTRACK_UNKNOWN;
	return a == CONNTRACK_ENTRY || b == CONNTRACK_ENTRY ? CONNTRACK_ENTRY : CONNTRACK_OFF;
}

enum conntrack conntrack_of(const struct store *store, const struct connection *conn)
{
	const struct agent *agent = store_agent(store);
	enum conntrack worst = conntrack_in(store, conn, conn->facts.netns);

	if (agent && agent->facts.netns != conn->facts.netns)
		worst = worse_of(worst, conntrack_in(store, conn, agent->facts.netns));
	for (size_t i = 0; i < conn->n_entries; i++)
		if (conntrack_entry(store, conn, conn->entries[i].netns))
			worst = worse_of(worst, conntrack_in(store, conn, conn->entries[i].netns));
	return worst;
}

int64_t conntrack_expires_in(const struct store *store, const struct connection *conn)
{
	int64_t first = -1;
	bool any = false;

	for (size_t i = 0; i < conn->n_entries; i++) {
		const struct entry *entry = conntrack_entry(store, conn, conn->entries[i].netns);

		if (!entry || entry->present != EW_YES)
			continue;
		if (entry->expires_at < 0)
			return -1;
		if (!any || entry->expires_at < first)
			first = entry->expires_at;
		any = true;
	}
	if (!any)
		return -1;
	return first > store->now ? first - store->now : 0;
}

int64_t conntrack_lifetime(const struct store *store, const struct connection *conn)
{
	int64_t shortest = 0;

	for (size_t i = 0; i < conn->n_entries; i++) {
		const struct entry *entry = conntrack_entry(store, conn, conn->entries[i].netns);
		const struct netns *netns = entry ? conntrack_netns(store, entry->netns) : NULL;

		if (!entry || entry->present != EW_YES)
			continue;
		if (!netns || netns->established <= 0)
			return 0;
		if (!shortest || netns->established < shortest)
			shortest = netns->established;
	}
	return shortest;
}
