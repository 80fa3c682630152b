/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who holds which socket, by reading the links in /proc/PID/fd. */
#ifndef EW_OBSERVE_PROC_FD_OWNERS_H
#define EW_OBSERVE_PROC_FD_OWNERS_H

#include <stddef.h>
#include <stdint.h>

struct fact_sink;
struct error;

struct holder {
	uint64_t inode;
	uint64_t start;
	int32_t pid;
	int32_t fd;
};

struct fd_owners {
	struct holder *items; /* sorted by inode, pid, fd after fd_owners_sort() */
	size_t n;
	size_t cap;
};

/*
 * Adds every socket that the process has a descriptor of. Returns 0, also for a process that is
 * gone; -ENOMEM; or -EACCES and the like.
 */
int fd_owners_add(struct fd_owners *holders, int32_t pid, uint64_t start);

void fd_owners_sort(struct fd_owners *holders);

/* The first of them that holds the inode, *n in a row; NULL for none. Sorted before. */
const struct holder *fd_owners_find(const struct fd_owners *holders, uint64_t inode, size_t *n);

/* Frees the items. */
void fd_owners_clear(struct fd_owners *holders);

#endif
