/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/connection_rows.h"

#include <stdlib.h>

#include "model/store/connection_index.h"

struct connection *store_connection_find(const struct store *store, uint64_t cookie)
{
	struct connection *conn;

	HASH_FIND(hh, store->connections, &cookie, sizeof(cookie), conn);
	return conn;
}

struct connection *store_connection(struct store *store, uint64_t cookie)
{
	struct connection *conn = store_connection_find(store, cookie);

	if (conn)
		return conn;
	conn = calloc(1, sizeof(*conn));
	if (!conn)
		goto broken;
	conn->facts.cookie = cookie;
	conn->facts.idle = -1;
	HASH_ADD(hh, store->connections, facts.cookie, sizeof(conn->facts.cookie), conn);
	if (conn->hh.tbl)
		return conn;
broken:
	free(conn);
	store->broken = true;
	return NULL;
}

void store_connection_free(struct store *store, struct connection *conn)
{
	connection_unindex(store, conn);
	HASH_DEL(store->connections, conn);
	free(conn->holders);
	free(conn);
}
