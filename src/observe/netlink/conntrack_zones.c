/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The whole table, for what the default zone has not. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "observe/netlink/conntrack.h"
#include "observe/netlink/conntrack_entry.h"
#include "observe/netlink/netlink.h"

struct table {
	struct conntrack_query **missing; /* by tuple */
	size_t n;
};

static int query_order(const void *a, const void *b)
{
	const struct conntrack_query *const *x = a, *const *y = b;
	const struct conntrack_tuple tuple = { (*x)->local, (*x)->remote };

	return conntrack_tuple_compare(&tuple, *y);
}

/* The first query that is not before the tuple. */
static size_t table_find(const struct table *table, const struct conntrack_tuple *tuple)
{
	size_t from = 0, to = table->n;

	while (from < to) {
		size_t at = (from + to) / 2;

		if (conntrack_tuple_compare(tuple, table->missing[at]) > 0)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

static void table_match(const struct table *table, const struct conntrack_tuple *tuple,
			const struct conntrack_entry *entry)
{
	for (size_t i = table_find(table, tuple);
	     i < table->n && conntrack_tuple_compare(tuple, table->missing[i]) == 0; i++)
		conntrack_query_answer(table->missing[i], entry);
}

static int table_read(int fd, const struct table *table)
{
	struct nl_msg *request =
		netlink_netfilter(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	struct conntrack_entry entry;
	struct netlink_dump dump;
	struct nlmsghdr *row;
	int more = netlink_dump_begin(&dump, fd, request) ?: 1;

	while (more > 0 && (more = netlink_dump_next(&dump, &row)) > 0) {
		if (!conntrack_entry_read(row, &entry))
			continue;
		table_match(table, &entry.orig, &entry);
		table_match(table, &entry.reply, &entry);
	}
	netlink_dump_end(&dump);
	nlmsg_free(request);
	return more;
}

int conntrack_zones_search(int fd, struct conntrack_query *queries, size_t n)
{
	struct table table = { .missing = calloc(n + 1, sizeof(struct conntrack_query *)) };
	int err = 0;

	if (!table.missing)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (queries[i].present == EW_NO)
			table.missing[table.n++] = &queries[i];
	if (table.n) {
		qsort(table.missing, table.n, sizeof(*table.missing), query_order);
		err = table_read(fd, &table);
	}
	free(table.missing);
	return err;
}
