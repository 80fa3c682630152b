/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who holds which socket, by reading the links in /proc/PID/fd. */
#ifndef EW_OBSERVE_HOLDERS_H
#define EW_OBSERVE_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

struct fact_sink;
struct fail;

struct holder {
	uint64_t inode;
	uint64_t start;
	int32_t pid;
	int32_t fd;
};

struct holders {
	struct holder *items; /* sorted by inode, pid, fd after holders_sort() */
	size_t n;
	size_t cap;
};

/*
 * Adds every socket that the process has a descriptor of. Returns 0, also for a process that is
 * gone; -ENOMEM; or -EACCES and the like.
 */
int holders_add(struct holders *holders, int32_t pid, uint64_t start);

void holders_sort(struct holders *holders);

/* The first of them that holds the inode, *n in a row; NULL for none. Sorted before. */
const struct holder *holders_find(const struct holders *holders, uint64_t inode, size_t *n);

/* Frees the items. */
void holders_clear(struct holders *holders);

#endif
