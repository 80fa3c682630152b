/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pidfd method: the socket is shut down through a copy of the descriptor (Linux 5.6). */
#ifndef EW_ACT_INJECT_INJECT_PIDFD_H
#define EW_ACT_INJECT_INJECT_PIDFD_H

#include "act/inject/inject_api.h"

/*
 * Copies the descriptor of the request. pidfd: of the process, or the negative errno of
 * ew_pidfd_open(). live: one of its threads that is alive, or 0. Returns the copy, close-on-exec,
 * or a negative errno: -EBADF no such descriptor, -ESRCH the process has ended, -EPERM, -ENOSYS
 * this kernel cannot copy it. The copy keeps the socket open: close it at once.
 */
int inject_pidfd_copy(const struct inject_request *request, int pidfd, pid_t live);

/* Shuts down a checked copy (-1: there is none). Fills *result; returns 0 or a negative errno. */
int inject_pidfd_shutdown(const struct inject_request *request, int copy,
			  struct inject_result *result);

#endif
