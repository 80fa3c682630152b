/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Has another socket begun to listen on a port? By sock_diag(7), in two system calls for each
 * address family, without allocating.
 */
#ifndef EW_OBSERVE_NETLINK_OTHER_LISTENER_H
#define EW_OBSERVE_NETLINK_OTHER_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct other_listener;

/*
 * Remembers who listens on the port now. nsfd: a descriptor of the network namespace, or NETNS_OWN.
 * Returns 0 or a negative errno.
 */
int other_listener_open(int nsfd, uint16_t port, struct other_listener **ret, struct error *error);
void other_listener_close(struct other_listener *listener); /* NULL is fine */

/* True when a socket listens that did not then; also when the kernel does not answer. */
bool other_listener_is_there(struct other_listener *listener);

#endif
