/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/legacy_rules.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#define POLICY_ACCEPT (-NF_ACCEPT - 1) /* verdict of struct xt_standard_target */

struct table {
	int fd;
	bool v6;
	struct ipt_getinfo info; /* ip6t_getinfo is laid out alike */
	char *entries;
};

/* Does the entry at that offset accept? It is the policy of a hook. */
static bool policy_accepts(const struct table *table, size_t at)
{
	size_t least = table->v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	struct xt_standard_target target;
	size_t where;

	if (at + least > table->info.size)
		return false;
	where = at + (table->v6 ? ((const struct ip6t_entry *)(table->entries + at))->target_offset
				: ((const struct ipt_entry *)(table->entries + at))->target_offset);
	if (where + sizeof(target) > table->info.size)
		return false;
	memcpy(&target, table->entries + where, sizeof(target));
	return target.target.u.user.name[0] == '\0' && target.verdict == POLICY_ACCEPT;
}

/* A table without rules has a policy for each hook, and the entry that ends it. */
static bool table_empty(const struct table *table)
{
	unsigned int hooks = (unsigned int)__builtin_popcount(table->info.valid_hooks);

	if (table->info.num_entries != hooks + 1)
		return false;
	for (unsigned int hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if ((table->info.valid_hooks & (1u << hook)) &&
		    !policy_accepts(table, table->info.underflow[hook]))
			return false;
	return true;
}

static int entries_read(struct table *table)
{
	size_t head = offsetof(struct ipt_get_entries, entrytable);
	struct ipt_get_entries *get = calloc(1, head + table->info.size);
	socklen_t len = (socklen_t)(head + table->info.size);

	if (!get)
		return -ENOMEM;
	memcpy(get->name, table->info.name, sizeof(get->name));
	get->size = table->info.size;
	if (getsockopt(table->fd, table->v6 ? SOL_IPV6 : SOL_IP, IPT_SO_GET_ENTRIES, get, &len) <
	    0) {
		int err = -errno;

		free(get);
		return err;
	}
	table->entries = malloc(table->info.size);
	if (table->entries)
		memcpy(table->entries, get->entrytable, table->info.size);
	free(get);
	return table->entries ? 0 : -ENOMEM;
}

static int table_has_rules(int fd, bool v6, const char *name)
{
	struct table table = { .fd = fd, .v6 = v6 };
	socklen_t len = sizeof(table.info);
	int result;

	if (strcmp(name, "nat") == 0)
		return 0;
	snprintf(table.info.name, sizeof(table.info.name), "%s", name);
	if (getsockopt(fd, v6 ? SOL_IPV6 : SOL_IP, IPT_SO_GET_INFO, &table.info, &len) < 0)
		return -errno;
	result = entries_read(&table);
	if (result == 0)
		result = !table_empty(&table);
	free(table.entries);
	return result;
}

int legacy_rules_exist(bool v6)
{
	/* /proc/net would be that of the whole process, not of this thread. */
	FILE *names = fopen(v6 ? "/proc/thread-self/net/ip6_tables_names"
			       : "/proc/thread-self/net/ip_tables_names",
			    "re");
	char name[XT_TABLE_MAXNAMELEN];
	int exist = 0;
	int fd;

	if (!names)
		return errno == ENOENT ? 0 : -errno; /* no such module: no such rules */
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		exist = -errno;
	while (exist == 0 && fscanf(names, "%31s", name) == 1)
		exist = table_has_rules(fd, v6, name);
	fclose(names);
	if (fd >= 0)
		close(fd);
	return exist;
}
