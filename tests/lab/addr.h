/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_ADDR_H
#define LAB_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An end of a TCP connection. The family is that of the socket: IPv4 may be in IPv6's form. */
union addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "127.0.0.1", "::1", "fe80::1%lo". Returns 0 or -EINVAL. */
int addr_parse(const char *ip, uint16_t port, union addr *addr);
/* "127.0.0.1:5051", "[::1]:5051"; what comes after that does not matter. */
bool addr_parse_end(const char *text, union addr *addr);
/* The address in "executor(1)@IP:PORT". */
bool addr_parse_upid(const char *upid, union addr *addr);

socklen_t addr_len(const union addr *addr);
bool addr_is_v4(const union addr *addr);     /* in either form */
const void *addr_ip(const union addr *addr); /* 4 or 16 bytes, as addr_is_v4() says */
uint16_t addr_port(const union addr *addr);
void addr_set_port(union addr *addr, uint16_t port);
void addr_set_any(union addr *addr); /* every address of its family; the port stays */
void addr_map(union addr *addr);     /* IPv4 becomes ::ffff:a.b.c.d, for an IPv6 socket */

bool addr_equal(const union addr *a, const union addr *b); /* whatever the form */
bool addr_ip_equal(const union addr *a, const union addr *b);

/* All malloc'd. "127.0.0.1:5051" in either form, or "[::1]:5051"; without a scope. */
char *addr_format(const union addr *addr);
/* As a part of URLs and UPIDs: "127.0.0.1", "[::1]"; ip as addr_parse() takes it. */
char *addr_host(const char *ip);

#endif
