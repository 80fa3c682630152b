/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of a file that grows: a log. */
#ifndef EW_OBSERVE_AGENT_FILE_TAIL_H
#define EW_OBSERVE_AGENT_FILE_TAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "mesos/span.h"

/* Does a negative errno say that there is no such directory or file, but a link or nothing? */
bool file_is_absent(int err);

/*
 * The last size bytes of a regular file in dir (AT_FDCWD: name is a path), to be freed with
 * file_tail_free(); empty for anything else. flags: O_NOFOLLOW or 0. Returns 0, also for a file
 * that is absent, or a negative errno.
 */
int file_tail(int dir, const char *name, int flags, size_t size, struct mesos_span *tail);
void file_tail_free(struct mesos_span tail);

#endif
