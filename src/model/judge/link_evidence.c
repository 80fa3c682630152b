/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/link_evidence.h"

#include "base/now.h"
#include "model/judge/agent_end.h"
#include "model/judge/conntrack.h"

/* A timer is late on a busy host, and an entry's time is told in whole seconds, rounded down. */
#define PROBE_MARGIN (NS_PER_S / 2)

static const struct conn_keepalive *keepalive_of(const struct store *store,
						 const struct connection *conn)
{
	const struct conn_keepalive *keepalive = &conn->keepalive;

	return keepalive->seen && keepalive->seen >= store->tracked &&
			       store->complete & SCAN_TRACKING && keepalive->on
		       ? keepalive
		       : NULL;
}

/*
 * The next probe comes before the first entry expires; and since each probe gives the entries their
 * whole time again, so do the ones after it. Only by values that were read.
 */
static enum ew_tri is_renewed(const struct store *store, const struct connection *conn,
			      int64_t lifetime)
{
	const struct conn_keepalive *keepalive = keepalive_of(store, conn);

	if (!keepalive || keepalive->next_at < 0 || !lifetime)
		return EW_UNKNOWN;
	for (size_t i = 0; i < conn->n_entries; i++) {
		const struct entry *entry = conntrack_entry(store, conn, conn->entries[i].netns);

		if (!entry || entry->present != EW_YES)
			continue;
		if (entry->expires_at < 0)
			return EW_UNKNOWN;
		if (keepalive->next_at + PROBE_MARGIN > entry->expires_at)
			return EW_NO;
	}
	return keepalive->idle * NS_PER_S + PROBE_MARGIN <= lifetime ? EW_YES : EW_NO;
}

struct link_keepalive link_evidence_keepalive(const struct store *store,
					      const struct connection *conn)
{
	const struct conn_keepalive *keepalive = keepalive_of(store, conn);
	struct link_keepalive ret = { .lifetime = conntrack_lifetime(store, conn), .probe_in = -1 };

	ret.renewed = is_renewed(store, conn, ret.lifetime);
	if (!keepalive)
		return ret;
	ret.on = true;
	ret.idle = keepalive->idle;
	ret.interval = keepalive->interval;
	ret.count = keepalive->count;
	if (keepalive->next_at >= 0)
		ret.probe_in =
			keepalive->next_at > store->now ? keepalive->next_at - store->now : 0;
	return ret;
}

/* A FIN of a translated link that meets no entry goes to an address that no socket has. */
const struct firewall *link_evidence_firewall(const struct store *store,
					      const struct connection *conn)
{
	const struct connection *peer = store_peer(store, conn);
	const struct firewall *firewall = &conn->firewall;

	if (!firewall->seen || firewall->seen < store->tracked ||
	    !(store->complete & SCAN_TRACKING))
		return NULL;
	if (!peer || peer->facts.netns != conn->facts.netns || firewall->netns != conn->facts.netns)
		return NULL;
	return firewall;
}

struct link_evidence link_evidence_of(const struct store *store, const struct connection *conn,
				      int64_t recovery_timeout)
{
	const struct firewall *firewall = link_evidence_firewall(store, conn);

	return (struct link_evidence){
		.agent_end = agent_end_of(store, conn),
		.conntrack = conntrack_of(store, conn),
		.expires = conntrack_expires_in(store, conn),
		.horizon = store->session.horizon > 0 ? store->session.horizon : recovery_timeout,
		.renewed = is_renewed(store, conn, conntrack_lifetime(store, conn)),
		.full = conntrack_is_full(store, conn->facts.netns),
		.accepted = firewall ? firewall->accepted : EW_UNKNOWN,
		.untracked = firewall ? firewall->untracked : EW_UNKNOWN,
	};
}
