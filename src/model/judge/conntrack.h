/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What connection tracking knows of a link, as of the last scan. */
#ifndef EW_MODEL_JUDGE_CONNTRACK_H
#define EW_MODEL_JUDGE_CONNTRACK_H

#include "model/report.h"
#include "model/store/store.h"

/* Is it in force in that namespace? */
enum ew_tri conntrack_active(const struct store *store, uint64_t netns);
/* True when the table of that namespace is known to have no room for another entry. */
bool conntrack_is_full(const struct store *store, uint64_t netns);
/* The entry as of the last complete scan; NULL: none was read then. Entries expire. */
const struct entry *conntrack_entry(const struct store *store, const struct connection *conn,
				    uint64_t netns);
/* The FIN crosses the namespaces of both ends: each one that tracks needs an entry. */
enum conntrack conntrack_of(const struct store *store, const struct connection *conn);
/* ns until the first of the link's entries expires; -1: there is none, or one has no known timeout.
 */
int64_t conntrack_expires_in(const struct store *store, const struct connection *conn);
/* The shortest time that an idle link keeps an entry, where it has one, ns; 0: not known. */
int64_t conntrack_lifetime(const struct store *store, const struct connection *conn);

#endif
