/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/api_url.h"

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/error.h"
#include "facts.h"
#include "observe/netlink/sockdiag.h"

static const char cure[] = "give --agent-url http://ADDRESS:PORT";

/* Splits "HOST[:PORT]" or "[V6][:PORT]"; node (without brackets) and port are size bytes each. */
static int authority_split(const char *text, char *node, char *port, size_t size)
{
	const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
	const char *host = text + (*text == '[');

	if (!end || end == host || (size_t)(end - host) >= size)
		return -EINVAL;
	snprintf(node, size, "%.*s", (int)(end - host), host);
	end += *end == ']';
	if (*end == '\0') {
		snprintf(port, size, "5051");
		return 0;
	}
	/* getaddrinfo(3) takes greater numbers, modulo 65536 */
	if (*end != ':' || strlen(end + 1) > 5 || end[1] == '\0' ||
	    strspn(end + 1, "0123456789") != strlen(end + 1) || atoi(end + 1) > UINT16_MAX)
		return -EINVAL;
	snprintf(port, size, "%s", end + 1);
	return 0;
}

static int look_up(const char *node, const char *port, struct api_url *url)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;

	/*
	 * The two sources that are part of glibc itself: others are libraries of the host, which a
	 * static program built elsewhere must not load.
	 */
	__nss_configure_lookup("hosts", "files dns");
	if (getaddrinfo(node, port, &hints, &found) != 0)
		return -ENOENT;
	memcpy(&url->addr, found->ai_addr, found->ai_addrlen);
	url->addr_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

bool api_url_is_tls(const char *text)
{
	return strncmp(text, "https://", 8) == 0;
}

int api_url_parse(const char *text, struct api_url *url, struct error *error)
{
	struct api_url parsed = { .tls = api_url_is_tls(text) };
	const char *rest = text + (parsed.tls ? 8 : 7);
	char port[256];
	size_t len;

	if (!parsed.tls && strncmp(text, "http://", 7) != 0)
		return error_set(error, -EINVAL, cure, "parse the URL '%s'", text);
	len = strcspn(rest, "/");
	if (len >= sizeof(parsed.host) || strlen(rest + len) >= sizeof(parsed.path) ||
	    strpbrk(rest, " \t\r\n@?#"))
		return error_set(error, -EINVAL, cure, "parse the URL '%s'", text);
	snprintf(parsed.host, sizeof(parsed.host), "%.*s", (int)len, rest);
	snprintf(parsed.path, sizeof(parsed.path), "%s", rest + len);
	for (size_t end = strlen(parsed.path); end && parsed.path[end - 1] == '/'; end--)
		parsed.path[end - 1] = '\0';
	if (authority_split(parsed.host, parsed.node, port, sizeof(port)) < 0)
		return error_set(error, -EINVAL, cure, "parse the URL '%s'", text);
	if (look_up(parsed.node, port, &parsed) < 0)
		return error_set(error, -ENOENT, cure, "find the host of '%s' in /etc/hosts or DNS",
				 text);
	*url = parsed;
	return 0;
}

bool api_url_is_of(const struct api_url *url, const struct ew_addr *agent)
{
	struct ew_addr to = sockdiag_sockaddr(&url->addr);

	return agent && agent->port == to.port &&
	       (addr_ip_equal(agent, &to) || (addr_is_any(agent) && addr_is_loopback(&to)));
}
