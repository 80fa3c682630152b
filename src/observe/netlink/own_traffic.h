/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Without BPF nobody sees who connects: the end of a connection of execwatch's own would look like
 * anybody's. So whoever makes one says so.
 */
#ifndef EW_OBSERVE_NETLINK_OWN_TRAFFIC_H
#define EW_OBSERVE_NETLINK_OWN_TRAFFIC_H

struct fact_sink;
struct sockaddr_storage;

/*
 * Puts the FACT_TCP that a hook would have put (CLOSE to SYN_SENT), with the local port, of a TCP
 * socket that connects. nsfd: the namespace it is in, or NETNS_OWN.
 */
void own_traffic_emit(int fd, int nsfd, const struct sockaddr_storage *to,
		      const struct fact_sink *sink);

#endif
