/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections that execwatch itself makes. Without BPF no hook shows which process connects: the
 * end of one of these would look like that of any other, so a fact is emitted when one is made.
 */
#ifndef EW_OBSERVE_NETLINK_OWN_TRAFFIC_H
#define EW_OBSERVE_NETLINK_OWN_TRAFFIC_H

struct fact_sink;
struct sockaddr_storage;

/*
 * Emits the FACT_TCP of a TCP socket that connects, as a hook would (CLOSE to SYN_SENT), with its
 * local port. nsfd: the socket's namespace, or NETNS_OWN.
 */
void own_traffic_emit(int fd, int nsfd, const struct sockaddr_storage *to,
		      const struct fact_sink *sink);

#endif
