/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The entries of a directory whose names are numbers: processes (/proc), threads
 * (/proc/PID/task), descriptors (/proc/PID/fd). getdents64(2) without opendir(3), which allocates:
 * the worker of an injection must not.
 */
#ifndef EW_BASE_DIRENTS_H
#define EW_BASE_DIRENTS_H

#include <stddef.h>
#include <sys/types.h>

struct dirents {
	int fd;
	size_t used, at;
	_Alignas(8) char buf[4096];
};

/* Opens path below dir (AT_FDCWD: as open(2)). Returns 0 or a negative errno. */
int dirents_open(struct dirents *dirents, int dir, const char *path);
void dirents_close(struct dirents *dirents);

/*
 * The next name that is a number (others are passed over); -ENOENT at the end, or another negative
 * errno: the directory could not be read to its end.
 */
int dirents_next(struct dirents *dirents);

/*
 * The first number at or behind an offset, read with a buffer for two or three entries: the kernel
 * makes an inode for every entry that fits the buffer. In /proc/PID/fd and /proc/PID/task/TID/fd
 * the offset of descriptor N is N + 2, for "." and ".." (proc_readfd_common() in fs/proc/fd.c).
 * Errors as for dirents_next(), which goes on behind it.
 */
int dirents_seek(struct dirents *dirents, off_t offset);

#endif
