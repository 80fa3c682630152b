/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

int addr_compare(const struct ew_addr *a, const struct ew_addr *b)
{
	int order = memcmp(a->ip, b->ip, sizeof(a->ip));

	return order ? order : (int)a->port - (int)b->port;
}

bool addr_is_v4(const struct ew_addr *addr)
{
	return memcmp(addr->ip, v4_mapped, sizeof(v4_mapped)) == 0;
}

const char *addr_text(const struct ew_addr *addr, char *buf)
{
	char ip[INET6_ADDRSTRLEN];

	if (addr_is_v4(addr)) {
		inet_ntop(AF_INET, addr->ip + 12, ip, sizeof(ip));
		snprintf(buf, ADDR_TEXT_MAX, "%s:%u", ip, addr->port);
	} else {
		inet_ntop(AF_INET6, addr->ip, ip, sizeof(ip));
		snprintf(buf, ADDR_TEXT_MAX, "[%s]:%u", ip, addr->port);
	}
	return buf;
}

struct ew_addr addr_from_v4(const void *ip, uint16_t port)
{
	struct ew_addr addr = { .port = port };

	memcpy(addr.ip, v4_mapped, sizeof(v4_mapped));
	memcpy(addr.ip + 12, ip, 4);
	return addr;
}

static int port_parse(const char *text, uint16_t *port)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

int addr_parse(const char *text, struct ew_addr *addr)
{
	bool v6 = *text == '[';
	const char *ip = text + v6;
	const char *end = strchr(ip, v6 ? ']' : ':');
	char host[INET6_ADDRSTRLEN];
	struct ew_addr parsed = { 0 };
	uint8_t v4[4];
	uint16_t port;

	if (!end || (size_t)(end - ip) >= sizeof(host) || (v6 && end[1] != ':'))
		return -EINVAL;
	memcpy(host, ip, (size_t)(end - ip));
	host[end - ip] = '\0';
	if (port_parse(end + 1 + v6, &port) < 0)
		return -EINVAL;
	if (v6) {
		if (inet_pton(AF_INET6, host, parsed.ip) != 1)
			return -EINVAL;
		parsed.port = port;
	} else {
		if (inet_pton(AF_INET, host, v4) != 1)
			return -EINVAL;
		parsed = addr_from_v4(v4, port);
	}
	*addr = parsed;
	return 0;
}

bool addr_ip_equal(const struct ew_addr *a, const struct ew_addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool addr_equal(const struct ew_addr *a, const struct ew_addr *b)
{
	return a->port == b->port && addr_ip_equal(a, b);
}

bool addr_is_any(const struct ew_addr *addr)
{
	static const uint8_t any[16];

	return memcmp(addr->ip + (addr_is_v4(addr) ? 12 : 0), any, addr_is_v4(addr) ? 4 : 16) == 0;
}

bool addr_is_loopback(const struct ew_addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	return addr_is_v4(addr) ? addr->ip[12] == 127 : memcmp(addr->ip, one, 16) == 0;
}
