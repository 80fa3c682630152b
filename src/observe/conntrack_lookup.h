/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What connection tracking and the firewall do with the links of a scan. */
#ifndef EW_OBSERVE_CONNTRACK_LOOKUP_H
#define EW_OBSERVE_CONNTRACK_LOOKUP_H

#include <stdbool.h>

struct fact_sink;
struct snapshot;

/*
 * Emits FACT_CT_ACTIVE for each namespace that a link or the agent is in and, where tracking may be
 * in force, FACT_CT_ENTRY for each established link: in its own namespace, and in the agent's where
 * that is another, by the addresses that the link has there. FACT_FIREWALL for each link within the
 * agent's namespace. FACT_UNREAD for what could not be read; returns false then.
 */
bool conntrack_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink);

#endif
