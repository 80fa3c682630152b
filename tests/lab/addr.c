/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "addr.h"

#include "buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_v6(const char *ip, uint16_t port, union addr *addr)
{
	char host[INET6_ADDRSTRLEN];
	const char *scope = strchr(ip, '%');
	size_t len = scope ? (size_t)(scope - ip) : strlen(ip);

	*addr = (union addr){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, ip, len);
	host[len] = '\0';
	if (inet_pton(AF_INET6, host, &addr->v6.sin6_addr) != 1)
		return -EINVAL;
	/* UPIDs name no scope; the node has link-local addresses on lo. */
	if (scope || IN6_IS_ADDR_LINKLOCAL(&addr->v6.sin6_addr))
		addr->v6.sin6_scope_id = if_nametoindex(scope ? scope + 1 : "lo");
	return 0;
}

int addr_parse(const char *ip, uint16_t port, union addr *addr)
{
	if (strchr(ip, ':'))
		return parse_v6(ip, port, addr);
	*addr = (union addr){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
	return inet_pton(AF_INET, ip, &addr->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

bool addr_parse_end(const char *text, union addr *addr)
{
	unsigned int port;
	char ip[64];

	return (sscanf(text, "[%63[^]]]:%u", ip, &port) == 2 ||
		sscanf(text, "%63[^]:[]:%u", ip, &port) == 2) &&
	       addr_parse(ip, port, addr) == 0;
}

bool addr_parse_upid(const char *upid, union addr *addr)
{
	const char *at = strchr(upid, '@');

	return at && addr_parse_end(at + 1, addr);
}

socklen_t addr_len(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->v6) : sizeof(addr->v4);
}

bool addr_is_v4(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&addr->v6.sin6_addr);
}

const void *addr_ip(const union addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return &addr->v4.sin_addr;
	return addr->v6.sin6_addr.s6_addr + (addr_is_v4(addr) ? 12 : 0);
}

uint16_t addr_port(const union addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET6 ? addr->v6.sin6_port : addr->v4.sin_port);
}

void addr_set_port(union addr *addr, uint16_t port)
{
	if (addr->sa.sa_family == AF_INET6)
		addr->v6.sin6_port = htons(port);
	else
		addr->v4.sin_port = htons(port);
}

void addr_set_any(union addr *addr)
{
	if (addr->sa.sa_family == AF_INET6)
		addr->v6.sin6_addr = in6addr_any;
	else
		addr->v4.sin_addr.s_addr = htonl(INADDR_ANY);
}

void addr_map(union addr *addr)
{
	union addr mapped = { .v6 = { .sin6_family = AF_INET6, .sin6_port = addr->v4.sin_port } };

	if (addr->sa.sa_family != AF_INET)
		return;
	memset(mapped.v6.sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(mapped.v6.sin6_addr.s6_addr + 12, &addr->v4.sin_addr, 4);
	*addr = mapped;
}

bool addr_ip_equal(const union addr *a, const union addr *b)
{
	return addr_is_v4(a) == addr_is_v4(b) &&
	       memcmp(addr_ip(a), addr_ip(b), addr_is_v4(a) ? 4 : 16) == 0;
}

bool addr_equal(const union addr *a, const union addr *b)
{
	return addr_ip_equal(a, b) && addr_port(a) == addr_port(b);
}

char *addr_format(const union addr *addr)
{
	bool v4 = addr_is_v4(addr);
	char ip[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, addr_ip(addr), ip, sizeof(ip));
	return lab_fmt(v4 ? "%s:%u" : "[%s]:%u", ip, addr_port(addr));
}

char *addr_host(const char *ip)
{
	return strchr(ip, ':') ? lab_fmt("[%.*s]", (int)strcspn(ip, "%"), ip) : lab_strdup(ip);
}
