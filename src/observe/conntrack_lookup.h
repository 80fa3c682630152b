/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What connection tracking knows of the links of a survey. */
#ifndef EW_OBSERVE_CONNTRACK_LOOKUP_H
#define EW_OBSERVE_CONNTRACK_LOOKUP_H

#include <stdbool.h>

struct snapshot;

/*
 * Puts FACT_CT_ACTIVE for each namespace that a link or the agent is in and, where tracking may be
 * in force, FACT_CT_ENTRY for each established link: in its own namespace, and in the agent's where
 * that is another. FACT_UNREAD for what could not be asked. Returns false then.
 */
bool conntrack_lookup_all(struct snapshot *snapshot);

#endif
