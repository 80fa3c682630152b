/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose a connection is, whether it is a link, and which connection is its other end. */
#ifndef EW_MODEL_STORE_LINKS_H
#define EW_MODEL_STORE_LINKS_H

#include "model/store/state.h"

/*
 * The process that owns the connection: the holder of a descriptor or, until a scan of descriptors,
 * the process that connected or accepted it. A child may have inherited the descriptor and keep it
 * after its parent has closed its own.
 */
bool connection_owner_counts(const struct connection *conn);
bool connection_is_of(const struct connection *conn, int32_t pid, uint64_t start);
/* A connection towards the agent port. */
bool connection_is_link(const struct store *store, const struct connection *conn);
/* True when its remote end is the address of this process' own agent: other agents may listen on
 * the same port. */
bool connection_is_link_of(const struct store *store, const struct connection *conn,
			   const struct process *process);

/* The other end: same tuple mirrored, in the same namespace or else in any. NULL: none is known. */
struct connection *store_peer(const struct store *store, const struct connection *conn);
/*
 * The other end, when only the port was translated from one that the agent advertises to the one
 * that it listens on, and connection tracking has forgotten that; conn is either of the two. NULL:
 * none is known, or one that is another connection's end.
 */
struct connection *store_peer_advertised(const struct store *store, const struct connection *conn);
/*
 * The executor's end of an established link whose agent's end has these addresses, as an entry of
 * connection tracking tells it: behind address translation. NULL: none is known yet.
 */
struct connection *store_peer_untranslated(const struct store *store, uint64_t netns,
					   const struct ew_addr *local,
					   const struct ew_addr *remote);

#endif
