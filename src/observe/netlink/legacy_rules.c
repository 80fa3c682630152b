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

#include <linux/netfilter_ipv6/ip6_tables.h>

#include "observe/netlink/xtables.h"

#define POLICY_ACCEPT (-NF_ACCEPT - 1) /* verdict of struct xt_standard_target */

struct table {
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

static int table_has_rules(int fd, bool v6, const char *name)
{
	struct table table = { .v6 = v6 };
	int result;

	if (strcmp(name, "nat") == 0)
		return 0;
	result = xtables_read(fd, v6, name, &table.info, &table.entries);
	if (result == 0)
		result = !table_empty(&table);
	free(table.entries);
	return result;
}

int legacy_rules_exist(bool v6)
{
	char name[XT_TABLE_MAXNAMELEN];
	FILE *names;
	int exist = xtables_names(v6, &names);
	int fd;

	if (exist < 0 || !names)
		return exist;
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		exist = -errno;
	while (exist == 0 && fscanf(names, "%31s", name) == 1)
		exist = table_has_rules(fd, v6, name);
	fclose(names);
	if (fd >= 0)
		close(fd);
	return exist;
}
