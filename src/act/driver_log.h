/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an executor's driver writes to its stderr, from now on. Read through the process' own
 * descriptor, so that no path is trusted; only a regular file can be read so. A child process reads
 * (base/bounded.h), since a file system may never answer.
 */
#ifndef EW_ACT_DRIVER_LOG_H
#define EW_ACT_DRIVER_LOG_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bounded.h"

enum driver_log_state {
	DRIVER_LOG_UNKNOWN, /* nothing answered within 2 s */
	DRIVER_LOG_NONE,    /* its stderr is no regular file, or may not be read */
	DRIVER_LOG_READ,    /* it is read */
};

struct driver_log {
	enum driver_log_state state;
	struct bounded reader;
};

/* Begins to read, at the present end of the file. */
void driver_log_begin(struct driver_log *log, pid_t pid);
/*
 * Has it written since that it is registered again (exec.cpp, reregistered(), all versions)? True
 * once, waits wait_ms for it; false after that too.
 */
bool driver_log_reregistered(struct driver_log *log, int wait_ms);
void driver_log_end(struct driver_log *log);

#endif
