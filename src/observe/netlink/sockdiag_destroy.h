/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of TCP sockets, by the destroy notifications of sock_diag(7) (Linux 4.2): sent when the
 * kernel frees a socket, that is when its descriptors are closed and its peer has answered, or it
 * was reset. One netlink socket for each network namespace.
 */
#ifndef EW_OBSERVE_NETLINK_SOCKDIAG_DESTROY_H
#define EW_OBSERVE_NETLINK_SOCKDIAG_DESTROY_H

#include <stdint.h>

struct agent_ports;
struct fact_sink;
struct error;
struct sockdiag_destroy;

/* epoll: descriptor that the sockets are added to. NULL: out of memory. */
struct sockdiag_destroy *sockdiag_destroy_new(uint16_t port, int epoll);
void sockdiag_destroy_free(struct sockdiag_destroy *destroy);

/*
 * Follows a namespace (nsfd: base/netns.h) until it was left as often as it was joined, and some
 * seconds more: a namespace lives as long as a socket in it. Errors: those of socket(2) and
 * setns(2), -EINVAL on kernels before 4.2.
 */
int sockdiag_destroy_join(struct sockdiag_destroy *destroy, uint64_t netns, int nsfd,
			  struct error *error);
void sockdiag_destroy_leave(struct sockdiag_destroy *destroy, uint64_t netns);

/*
 * Follows sockets with one of these ports too, from now on; v[0] is ignored. Returns 0 or a
 * negative errno: some namespaces are then followed with the ports of before.
 */
int sockdiag_destroy_set_ports(struct sockdiag_destroy *destroy, const struct agent_ports *ports);

/*
 * Emits FACT_TCP to TCP_CLOSE, from 0 (not known), for each socket that was freed and has one of
 * the ports at either end.
 */
void sockdiag_destroy_drain(struct sockdiag_destroy *destroy, const struct fact_sink *sink);

/* Notifications that were lost, and seen, since the beginning. */
void sockdiag_destroy_count(struct sockdiag_destroy *destroy, uint64_t *lost, uint64_t *seen);

#endif
