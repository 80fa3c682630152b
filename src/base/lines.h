/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A file read line by line into a buffer of the caller's, without allocating: for files of proc(5)
 * whose length has no bound, and for the worker of an injection, which must not allocate.
 *
 * Files of /proc that are made as one record (single_open() in fs/proc: status, stat, cgroup) show
 * the state at the first read(2), also where several are needed.
 */
#ifndef EW_BASE_LINES_H
#define EW_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
	int fd; /* the caller's to close */
	int err;
	char *buf;
	size_t size;
	size_t used, at; /* bytes in buf, and how many of them are consumed */
	bool cut;	 /* the line last returned was longer than the buffer */
	bool skip;	 /* its rest has still to be passed over */
};

/*
 * Prepares to read fd from its present offset. buf, size bytes, has to hold a whole line, its
 * newline and a NUL.
 */
void lines_init(struct lines *lines, int fd, char *buf, size_t size);

/*
 * The next line, terminated, without its newline, *len bytes; valid until the next call. A line
 * that does not fit is returned as its first size - 1 bytes, with lines->cut set. NULL at the end
 * of the file or after an error: lines->err is then 0 or a negative errno.
 */
char *lines_next(struct lines *lines, size_t *len);

#endif
