/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/own_traffic.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/now.h"
#include "facts.h"
#include "base/netns.h"
#include "base/proc.h"
#include "observe/netlink/sockdiag.h"

static struct ew_addr address(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	if (from->ss_family == AF_INET6)
		return sockdiag_addr(AF_INET6, v6->sin6_addr.s6_addr32, v6->sin6_port);
	return sockdiag_addr(AF_INET, &v4->sin_addr.s_addr, v4->sin_port);
}

static uint64_t own_start(void)
{
	struct proc_stat stat;

	return proc_stat_of(getpid(), &stat) < 0 ? 0 : stat.start;
}

void own_traffic_emit(int fd, int nsfd, const struct sockaddr_storage *to,
		      const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_TCP, .mono = now_mono() };
	socklen_t len = sizeof(fact.tcp.cookie), local_len = sizeof(struct sockaddr_storage);
	struct sockaddr_storage local;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &fact.tcp.cookie, &len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&local, &local_len) < 0)
		return;
	fact.tcp.netns = netns_inode(nsfd);
	fact.tcp.local = address(&local);
	fact.tcp.remote = address(to);
	fact.tcp.from = TCP_CLOSE;
	fact.tcp.to = TCP_SYN_SENT;
	fact.tcp.pid = getpid();
	fact.tcp.start = own_start();
	fact_emit(sink, &fact);
}
