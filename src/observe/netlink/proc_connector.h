/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The proc connector (Linux Documentation/driver-api/connector.rst, drivers/connector/cn_proc.c):
 * fork, exec and exit of all processes of the host. A filter in the kernel drops those of threads,
 * but for a thread group's leader, whose exit need not be the process' end.
 */
#ifndef EW_OBSERVE_NETLINK_PROC_CONNECTOR_H
#define EW_OBSERVE_NETLINK_PROC_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/netlink/multicast_socket.h"

struct error;

enum connector_what { CONNECTOR_FORK, CONNECTOR_EXEC, CONNECTOR_EXIT };

struct connector_event {
	enum connector_what what;
	int64_t mono;
	int32_t pid;	/* of the child, where a process forked */
	int32_t parent; /* FORK */
	int32_t status; /* EXIT: the leader's own, as wait(2) gives it */
};

/*
 * Errors: -EPERM (CAP_NET_ADMIN, needed before 6.6), -EPROTONOSUPPORT (the kernel has none),
 * -ECONNREFUSED (the first network namespace cannot be entered), -EOPNOTSUPP (not in the first pid
 * or user namespace).
 */
int proc_connector_open(struct multicast_socket *socket, struct error *error);

/* Also unsubscribes: before 6.6 the kernel does not notice the close by itself. */
void proc_connector_close(struct multicast_socket *socket);

/* The next event; false when there is none. Never blocks. */
bool proc_connector_next(struct multicast_socket *socket, struct connector_event *event);

#endif
