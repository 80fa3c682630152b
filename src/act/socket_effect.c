/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/socket_effect.h"

#include <stdint.h>

#include "act/inject/inject_api.h"
#include "base/proc.h"

enum socket_effect socket_effect_read(const struct inject_request *request)
{
	pid_t live = proc_live_thread(request->pid, request->start);
	uint64_t inode;

	if (live <= 0)
		return live == 0 ? SOCKET_PROCESS_ENDED : SOCKET_UNKNOWN;
	if (proc_thread_socket(request->pid, live, request->fd, &inode) < 0)
		return SOCKET_UNKNOWN;
	if (inode == request->inode)
		return SOCKET_OPEN;
	/* A thread that has begun to exit meanwhile may have had no descriptors any more. */
	return proc_live_thread(request->pid, request->start) == live ? SOCKET_CLOSED
								      : SOCKET_UNKNOWN;
}
