/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP sockets by sock_diag(7): what the kernel has, owned by a process or not. Sees one namespace
 * at a time and no owners, but also connections nobody has accepted yet and orphans that still
 * retransmit their FIN, which no list of descriptors shows.
 */
#ifndef EW_OBSERVE_NETLINK_SOCKDIAG_H
#define EW_OBSERVE_NETLINK_SOCKDIAG_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

struct agent_ports;
struct ew_addr;
struct fact_socket;
struct error;
struct sockaddr_storage;

#define SOCKDIAG_LISTEN (1u << 10) /* states are bits numbered as in net/tcp_states.h */
/* All but SYN_RECV and TIME_WAIT: the one is not yet a socket, the other no longer. */
#define SOCKDIAG_REAL (0xfffu & ~(1u << 6) & ~(1u << 3) & ~(1u << 12))

/*
 * Lists the TCP sockets (IPv4 and IPv6) of the namespace in one of these states that have one
 * of the ports at either end (NULL: every port). nsfd: a descriptor of the namespace, or NETNS_OWN;
 * netns: its inode. Costs one pass over the kernel's hash tables, whatever the number of matches.
 * Returns 0 or a negative errno; sockdiag_close(NULL) is fine.
 */
struct sockdiag;
int sockdiag_open(int nsfd, uint64_t netns, const struct agent_ports *ports, uint32_t states,
		  struct sockdiag **ret, struct error *error);
void sockdiag_close(struct sockdiag *list);

/*
 * The next socket of the list, at *ret until the next call. Idle times are tcp_info's, to the
 * millisecond; they wrap after 49.7 days. Returns 1 with a socket, 0 when all were given, or a
 * negative errno (-ENOENT: no tcp_diag; the list is then not complete).
 */
int sockdiag_next(struct sockdiag *list, const struct fact_socket **ret, struct error *error);

/* An end of a row of inet_diag: family AF_INET or AF_INET6, ip of its 4 or 16 bytes. */
struct ew_addr sockdiag_addr(uint8_t family, const __be32 *ip, __be16 port);
/* Of an IPv4 or IPv6 socket address. */
struct ew_addr sockdiag_sockaddr(const struct sockaddr_storage *from);

#endif
