/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/fd_owners.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dirents.h"
#include "base/equal_range.h"
#include "base/proc.h"

int fd_owners_add(struct fd_owners *owners, int32_t pid, uint64_t start)
{
	char path[PROC_PATH_MAX], name[16];
	struct dirents list;
	int fd = 0, err = dirents_open(&list, AT_FDCWD, proc_path(path, pid, 0, "fd"));

	if (err < 0)
		return proc_is_gone(err) ? 0 : err;
	while (!err && (fd = dirents_next(&list)) >= 0) {
		struct fd_owner owner = { .pid = pid, .start = start, .fd = fd };

		snprintf(name, sizeof(name), "%d", fd);
		err = proc_fd_socket(list.fd, name, &owner.inode);
		if (err || !owner.inode)
			continue;
		err = array_reserve(&owners->items, &owners->cap, owners->n, sizeof(owner));
		if (!err)
			owners->items[owners->n++] = owner;
	}
	dirents_close(&list);
	if (!err && fd < 0 && !proc_is_gone(fd))
		err = fd;
	return err;
}

static int order(const void *left, const void *right)
{
	const struct fd_owner *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

void fd_owners_sort(struct fd_owners *owners)
{
	if (owners->n)
		qsort(owners->items, owners->n, sizeof(*owners->items), order);
}

static int inode_order(const void *key, const void *item)
{
	uint64_t inode = *(const uint64_t *)key;
	const struct fd_owner *owner = item;

	return (inode > owner->inode) - (inode < owner->inode);
}

const struct fd_owner *fd_owners_find(const struct fd_owners *owners, uint64_t inode, size_t *n)
{
	size_t first;

	*n = equal_range(&inode, owners->items, owners->n, sizeof(*owners->items), inode_order,
			 &first);
	return *n ? &owners->items[first] : NULL;
}

void fd_owners_clear(struct fd_owners *owners)
{
	free(owners->items);
	*owners = (struct fd_owners){ 0 };
}
