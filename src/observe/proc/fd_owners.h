/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes have descriptors of which sockets, by the links in /proc/PID/fd. */
#ifndef EW_OBSERVE_PROC_FD_OWNERS_H
#define EW_OBSERVE_PROC_FD_OWNERS_H

#include <stddef.h>
#include <stdint.h>

struct fd_owner {
	uint64_t inode;
	uint64_t start;
	int32_t pid;
	int32_t fd;
};

struct fd_owners {
	struct fd_owner *items; /* sorted by inode, pid, fd after fd_owners_sort() */
	size_t n;
	size_t cap;
};

/*
 * Adds every socket that the process has a descriptor of. Returns 0, also for a process that has
 * ended; -ENOMEM; or -EACCES and the like: its descriptors may not be read.
 */
int fd_owners_add(struct fd_owners *owners, int32_t pid, uint64_t start);

void fd_owners_sort(struct fd_owners *owners);

/* The descriptors of the socket with that inode, *n of them in a row; NULL: none. Sort first. */
const struct fd_owner *fd_owners_find(const struct fd_owners *owners, uint64_t inode, size_t *n);

/* Frees the items. */
void fd_owners_clear(struct fd_owners *owners);

#endif
