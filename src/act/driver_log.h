/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an executor's driver writes to its stderr, from now on. Read through the process' own
 * descriptor, so that no path is trusted; only a regular file can be read so.
 */
#ifndef EW_ACT_DRIVER_LOG_H
#define EW_ACT_DRIVER_LOG_H

#include <stdbool.h>
#include <sys/types.h>

struct driver_log {
	int fd; /* -1: it cannot be read */
	off_t from;
};

void driver_log_begin(struct driver_log *log, pid_t pid);
/* Has it written since that it is registered again? (exec.cpp, reregistered(), all versions) */
bool driver_log_reregistered(const struct driver_log *log);
void driver_log_end(struct driver_log *log);

#endif
