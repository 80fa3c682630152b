/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which links were protected, and what keepalive they had before: the file protected.json in the
 * state directory. It is of one boot, since the cookies of sockets are. Writers hold the lock of
 * those who act.
 */
#ifndef EW_ACT_PROTECTED_H
#define EW_ACT_PROTECTED_H

#include <stddef.h>
#include <stdint.h>

#include "base/keepalive.h"

struct error;
struct protected;

struct protected_link {
	uint64_t cookie;
	int32_t pid;
	uint64_t start;
	uint64_t inode; /* as in /proc/PID/fd; 0: not known, in a file of an earlier version */
	struct keepalive before;
};

/*
 * Reads the file, empty when there is none or when it is of another boot; makes nothing. Links of
 * processes that have ended, or have closed the socket, are left out. Returns 0 or a negative
 * errno: -EBADMSG for a damaged file, which is never overwritten.
 */
int protected_load(const char *dir, const char *boot_id, struct protected **ret,
		   struct error *error);
void protected_free(struct protected *links); /* NULL is fine */

/* NULL: not protected. The pointer lives until the next change. */
const struct protected_link *protected_find(const struct protected *links, uint64_t cookie);

/* Adds a link, unless it is there: the values of before the first act are those to restore. Returns
 * 0 or -ENOMEM. */
int protected_add(struct protected *links, const struct protected_link *link);
void protected_remove(struct protected *links, uint64_t cookie);

/* Replaces the file and syncs it. Returns 0 or a negative errno; the file is then as before. */
int protected_save(const struct protected *links, struct error *error);

#endif
