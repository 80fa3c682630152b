/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/pidns_init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dirents.h"
#include "base/proc.h"

enum { PARENTS_MAX = 64 };

struct member {
	bool inside; /* a process of the namespace */
	bool first;
	int32_t ppid;
};

static struct member member_read(int32_t pid, uint64_t pidns)
{
	struct member member = { .inside = false };
	struct proc_status status;
	struct proc_stat stat;
	int dir = proc_open(pid);

	if (dir < 0)
		return member;
	member.inside = proc_ns(dir, "pid") == pidns;
	if (member.inside && proc_status_read(dir, "status", &status) == 0)
		member.first = status.ns_pid == 1;
	if (proc_stat_read(dir, "stat", &stat) == 0)
		member.ppid = stat.ppid;
	close(dir);
	return member;
}

static int32_t among_parents(int32_t pid, uint64_t pidns)
{
	for (int i = 0; pid > 0 && i < PARENTS_MAX; i++) {
		struct member member = member_read(pid, pidns);

		if (member.first)
			return pid;
		if (!member.inside)
			return 0;
		pid = member.ppid;
	}
	return 0;
}

static int32_t among_all(uint64_t pidns)
{
	struct dirents list;
	int pid;

	if (dirents_open(&list, AT_FDCWD, "/proc") < 0)
		return 0;
	while ((pid = dirents_next(&list)) > 0)
		if (member_read(pid, pidns).first)
			break;
	dirents_close(&list);
	return pid > 0 ? pid : 0;
}

int32_t pidns_init_find(int32_t pid, uint64_t pidns, uint64_t own)
{
	int32_t init;

	if (!pidns)
		return 0;
	if (pidns == own)
		return 1;
	init = among_parents(pid, pidns);
	return init ? init : among_all(pidns);
}

void pidns_outer_find(int dir, char *buf, size_t size)
{
	int ns = openat(dir, "ns/pid", O_RDONLY | O_CLOEXEC), outer;
	size_t len = 0;
	struct stat st;

	*buf = '\0';
	if (ns < 0)
		return;
	while ((outer = ioctl(ns, NS_GET_PARENT)) >= 0 && fstat(outer, &st) == 0 && len < size) {
		len += (size_t)snprintf(buf + len, size - len, "%llu,",
					(unsigned long long)st.st_ino);
		close(ns);
		ns = outer;
	}
	/* EPERM: the next one is not below the caller's own. */
	if (outer >= 0 || errno != EPERM || len >= size)
		*buf = '\0';
	else if (!len)
		snprintf(buf, size, "none");
	if (outer >= 0)
		close(outer);
	close(ns);
}
