/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP sockets by sock_diag(7): what the kernel has, owned by a process or not. Sees one namespace
 * at a time and no owners, but also connections nobody has accepted yet and orphans that still
 * retransmit their FIN, which no walk of descriptors finds.
 */
#ifndef EW_OBSERVE_NETLINK_SOCKDIAG_H
#define EW_OBSERVE_NETLINK_SOCKDIAG_H

#include <linux/types.h>
#include <stdint.h>

struct ew_addr;
struct fact_socket;
struct error;

#define SOCKDIAG_LISTEN (1u << 10) /* states are bits numbered as in net/tcp_states.h */
/* All but TIME_WAIT and SYN_RECV: neither is a socket yet, or any more. */
#define SOCKDIAG_REAL (0xfffu & ~(1u << 6) & ~(1u << 3) & ~(1u << 12))

/*
 * Calls each(ctx, socket) for the TCP sockets (IPv4 and IPv6) of the namespace in one of these
 * states that have port at either end (0: every port). nsfd: a descriptor of the namespace, or
 * NETNS_OWN; netns: its inode. Idle times are tcp_info's, to the millisecond; they wrap after 49.7
 * days. Costs one pass over the kernel's hash tables, whatever the number of matches.
 */
int sockdiag_dump(int nsfd, uint64_t netns, uint16_t port, uint32_t states,
		  void (*each)(void *ctx, const struct fact_socket *socket), void *ctx,
		  struct error *error);

/* An end of a row of inet_diag: family AF_INET or AF_INET6, ip of its 4 or 16 bytes. */
struct ew_addr sockdiag_addr(uint8_t family, const __be32 *ip, __be16 port);

#endif
