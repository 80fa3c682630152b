/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/xtables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#define TRIES 10

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

/* Returns 1 to end with, 0 to go on. */
typedef int rule_fn(void *arg, const char *bytes, const struct rule *rule);

/* The first name that tracks. */
struct tracker {
	char *name;
	size_t size;
};

static bool name_found(const char *found, const struct tracker *tracker)
{
	if (!xtables_tracks(found))
		return false;
	snprintf(tracker->name, tracker->size, "%s", found);
	return true;
}

static int rule_tracks(void *arg, const char *bytes, const struct rule *rule)
{
	const struct xt_entry_target *target = (const void *)(bytes + rule->target);

	for (size_t at = rule->matches; at + sizeof(struct xt_entry_match) <= rule->target;) {
		const struct xt_entry_match *match = (const void *)(bytes + at);

		if (match->u.match_size == 0)
			break;
		if (name_found(match->u.user.name, arg))
			return 1;
		at += match->u.match_size;
	}
	return name_found(target->u.user.name, arg);
}

bool xtables_ct_sets_zone(const void *info, size_t len)
{
	struct xt_ct_target_info ct; /* later revisions begin with the same fields */

	if (len < sizeof(ct))
		return false;
	memcpy(&ct, info, sizeof(ct));
	return ct.zone || ct.flags & XT_CT_ZONE_MARK;
}

static int rule_sets_zone(void *arg, const char *bytes, const struct rule *rule)
{
	const struct xt_entry_target *target = (const void *)(bytes + rule->target);

	(void)arg;
	return strcmp(target->u.user.name, "CT") == 0 &&
	       xtables_ct_sets_zone(target->data, rule->next - rule->target - sizeof(*target));
}

static int entries_get(int fd, bool v6, const struct ipt_getinfo *info, char **ret)
{
	size_t head = offsetof(struct ipt_get_entries, entrytable); /* ip6t_get_entries' too */
	struct ipt_get_entries *get = calloc(1, head + info->size);
	socklen_t len = (socklen_t)(head + info->size);

	if (!get)
		return -ENOMEM;
	memcpy(get->name, info->name, sizeof(get->name));
	get->size = info->size;
	if (getsockopt(fd, v6 ? SOL_IPV6 : SOL_IP, IPT_SO_GET_ENTRIES, get, &len) < 0) {
		int err = -errno;

		free(get);
		return err;
	}
	memmove(get, (char *)get + head, info->size);
	*ret = (char *)get;
	return 0;
}

int xtables_read(int fd, bool v6, const char *table, struct ipt_getinfo *info, char **entries)
{
	int err = -EAGAIN;

	/* -EAGAIN: another size than a moment ago (get_entries(), ip_tables.c). */
	for (int tries = 0; err == -EAGAIN && tries < TRIES; tries++) {
		socklen_t len = sizeof(*info);

		memset(info, 0, sizeof(*info));
		snprintf(info->name, sizeof(info->name), "%s", table);
		err = getsockopt(fd, v6 ? SOL_IPV6 : SOL_IP, IPT_SO_GET_INFO, info, &len) < 0
			      ? -errno
			      : entries_get(fd, v6, info, entries);
	}
	return err;
}

static int table_find(int fd, bool v6, const char *table, rule_fn *find, void *arg)
{
	size_t least = v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	struct ipt_getinfo info;
	char *entries = NULL;
	int found = xtables_read(fd, v6, table, &info, &entries);

	for (size_t at = 0; found == 0 && at + least <= info.size;) {
		struct rule rule = rule_at(entries + at, v6);

		if (rule.next < least || at + rule.next > info.size ||
		    rule.target + sizeof(struct xt_entry_target) > rule.next)
			found = -EBADMSG;
		else
			found = find(arg, entries + at, &rule);
		at += rule.next;
	}
	free(entries);
	return found;
}

int xtables_names(bool v6, FILE **names)
{
	/* /proc/net would be that of the whole process, not of this thread. */
	*names = fopen(v6 ? "/proc/thread-self/net/ip6_tables_names"
			  : "/proc/thread-self/net/ip_tables_names",
		       "re");
	if (*names)
		return 0;
	if (errno != ENOENT)
		return -errno;
	/* Without the module there is no such file; without its neighbour, no such directory. */
	return access("/proc/thread-self/net/netlink", F_OK) == 0 ? 0 : -EACCES;
}

/* In any table: 1, 0 or a negative errno. */
static int rule_find(bool v6, rule_fn *find, void *arg)
{
	char table[XT_TABLE_MAXNAMELEN];
	FILE *names;
	int found = xtables_names(v6, &names);
	int fd;

	if (found < 0 || !names)
		return found;
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		found = -errno;
	while (found == 0 && fscanf(names, "%31s", table) == 1)
		found = table_find(fd, v6, table, find, arg);
	fclose(names);
	if (fd >= 0)
		close(fd);
	return found;
}

int xtables_find_tracking(bool v6, char *name, size_t size)
{
	struct tracker tracker = { name, size };

	return rule_find(v6, rule_tracks, &tracker);
}

int xtables_find_zone(bool v6)
{
	return rule_find(v6, rule_sets_zone, NULL);
}
