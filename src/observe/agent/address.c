/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/netns.h"

enum ew_tri address_is_bound(const struct ew_addr *addr, int nsfd)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v4 = addr_is_v4(addr);
	struct error error = { 0 };
	int fd = netns_socket(nsfd, is_v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0, &error), err;

	if (fd < 0)
		return EW_UNKNOWN;
	memcpy(&v4.sin_addr, addr->ip + 12, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, addr->ip, sizeof(v6.sin6_addr));
	err = (is_v4 ? bind(fd, (const struct sockaddr *)&v4, sizeof(v4))
		     : bind(fd, (const struct sockaddr *)&v6, sizeof(v6))) < 0
		      ? errno
		      : 0;
	close(fd);
	if (err == EADDRNOTAVAIL)
		return EW_NO;
	return err ? EW_UNKNOWN : EW_YES;
}
