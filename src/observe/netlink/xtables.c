/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/xtables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

/* Whose check function calls nf_ct_netns_get(), net/netfilter/xt_*.c of Linux 6.18. */
static const char *const trackers[] = {
	"conntrack", "state",	"connbytes", "connlabel",   "connlimit", "connmark",
	"helper",    "cluster", "CONNMARK",  "CONNSECMARK", "CT",	 "SNAT",
	"DNAT",	     "NETMAP",	"REDIRECT",  "MASQUERADE",  "SYNPROXY",	 "CLUSTERIP",
};

bool xtables_tracks(const char *name)
{
	for (size_t i = 0; i < sizeof(trackers) / sizeof(*trackers); i++)
		if (strcmp(name, trackers[i]) == 0)
			return true;
	return false;
}

/* ipt_entry and ip6t_entry differ in size only; both carry these two offsets. */
struct rule {
	size_t matches; /* where matches begin */
	size_t target;
	size_t next;
};

static struct rule rule_at(const char *bytes, bool v6)
{
	struct rule rule;

	if (v6) {
		const struct ip6t_entry *entry = (const void *)bytes;

		rule.matches = sizeof(*entry);
		rule.target = entry->target_offset;
		rule.next = entry->next_offset;
	} else {
		const struct ipt_entry *entry = (const void *)bytes;

		rule.matches = sizeof(*entry);
		rule.target = entry->target_offset;
		rule.next = entry->next_offset;
	}
	return rule;
}

static bool name_found(const char *found, char *name, size_t size)
{
	if (!xtables_tracks(found))
		return false;
	snprintf(name, size, "%s", found);
	return true;
}

static bool rule_tracks(const char *bytes, const struct rule *rule, char *name, size_t size)
{
	const struct xt_entry_target *target = (const void *)(bytes + rule->target);

	for (size_t at = rule->matches; at + sizeof(struct xt_entry_match) <= rule->target;) {
		const struct xt_entry_match *match = (const void *)(bytes + at);

		if (match->u.match_size == 0)
			break;
		if (name_found(match->u.user.name, name, size))
			return true;
		at += match->u.match_size;
	}
	return name_found(target->u.user.name, name, size);
}

static int table_find(int fd, bool v6, const char *table, char *name, size_t size)
{
	int level = v6 ? SOL_IPV6 : SOL_IP;
	struct ipt_getinfo info = { 0 }; /* ip6t_getinfo and ip6t_get_entries are laid out alike */
	struct ipt_get_entries *entries;
	size_t head = offsetof(struct ipt_get_entries, entrytable);
	size_t least = v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	socklen_t len = sizeof(info);
	int found = 0;

	snprintf(info.name, sizeof(info.name), "%s", table);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) < 0)
		return -errno;
	entries = calloc(1, head + info.size);
	if (!entries)
		return -ENOMEM;
	snprintf(entries->name, sizeof(entries->name), "%s", table);
	entries->size = info.size;
	len = (socklen_t)(head + info.size);
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, entries, &len) < 0)
		found = -errno;
	for (size_t at = 0; found == 0 && at + least <= info.size;) {
		const char *bytes = (const char *)entries->entrytable + at;
		struct rule rule = rule_at(bytes, v6);

		if (rule.next < least || at + rule.next > info.size ||
		    rule.target + sizeof(struct xt_entry_target) > rule.next)
			found = -EBADMSG;
		else
			found = rule_tracks(bytes, &rule, name, size);
		at += rule.next;
	}
	free(entries);
	return found;
}

int xtables_find_tracking(bool v6, char *name, size_t size)
{
	/* /proc/net would be that of the whole process, not of this thread. */
	FILE *names = fopen(v6 ? "/proc/thread-self/net/ip6_tables_names"
			       : "/proc/thread-self/net/ip_tables_names",
			    "re");
	char table[XT_TABLE_MAXNAMELEN];
	int found = 0;
	int fd;

	if (!names)
		return errno == ENOENT ? 0 : -errno; /* no such module: no such rules */
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0) {
		int err = -errno;

		fclose(names);
		return err;
	}
	while (found == 0 && fscanf(names, "%31s", table) == 1)
		found = table_find(fd, v6, table, name, size);
	fclose(names);
	close(fd);
	return found;
}
