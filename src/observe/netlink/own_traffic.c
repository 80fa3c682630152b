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
	fact.tcp.local = sockdiag_sockaddr(&local);
	fact.tcp.remote = sockdiag_sockaddr(to);
	fact.tcp.from = TCP_CLOSE;
	fact.tcp.to = TCP_SYN_SENT;
	fact.tcp.pid = getpid();
	fact.tcp.start = own_start();
	fact_emit(sink, &fact);
}
