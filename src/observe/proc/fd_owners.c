/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/fd_owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/equal_range.h"
#include "base/array.h"

/*
 * "socket:[12345]"; 0: something else, or closed meanwhile. To list descriptors needs less than to
 * see what they refer to (CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE).
 */
static int socket_inode(int dir, const char *name, uint64_t *inode)
{
	char target[64];
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

	*inode = 0;
	if (len < 0 && (errno == EACCES || errno == EPERM))
		return -errno;
	if (len < 9 || memcmp(target, "socket:[", 8) != 0)
		return 0;
	target[len] = '\0';
	*inode = strtoull(target + 8, NULL, 10);
	return 0;
}

int fd_owners_add(struct fd_owners *holders, int32_t pid, uint64_t start)
{
	struct dirent *entry;
	char path[32];
	int err = 0;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	list = opendir(path);
	if (!list)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	while (!err && (entry = readdir(list))) {
		struct holder holder = { .pid = pid, .start = start };

		if (entry->d_name[0] == '.')
			continue;
		holder.fd = atoi(entry->d_name);
		err = socket_inode(dirfd(list), entry->d_name, &holder.inode);
		if (err || !holder.inode)
			continue;
		err = array_reserve(&holders->items, &holders->cap, holders->n, sizeof(holder));
		if (!err)
			holders->items[holders->n++] = holder;
	}
	closedir(list);
	return err;
}

static int order(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

void fd_owners_sort(struct fd_owners *holders)
{
	if (holders->n)
		qsort(holders->items, holders->n, sizeof(*holders->items), order);
}

static int inode_order(const void *key, const void *item)
{
	uint64_t inode = *(const uint64_t *)key;
	const struct holder *holder = item;

	return (inode > holder->inode) - (inode < holder->inode);
}

const struct holder *fd_owners_find(const struct fd_owners *holders, uint64_t inode, size_t *n)
{
	size_t first;

	*n = equal_range(&inode, holders->items, holders->n, sizeof(*holders->items), inode_order,
			 &first);
	return *n ? &holders->items[first] : NULL;
}

void fd_owners_clear(struct fd_owners *holders)
{
	free(holders->items);
	*holders = (struct fd_owners){ 0 };
}
