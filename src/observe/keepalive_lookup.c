/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/keepalive_lookup.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/keepalive.h"
#include "base/pidfd.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/snapshot.h"

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

/* -ESTALE: the descriptor is another socket's by now. */
static int copy_read(int copy, uint64_t cookie, struct keepalive *ret)
{
	return cookie_of(copy) == cookie ? keepalive_read(copy, ret) : -ESTALE;
}

static int holder_read(const struct fact_holder *holder, uint64_t cookie, struct keepalive *ret)
{
	int pidfd = ew_pidfd_open(holder->pid, false), copy, err;

	if (pidfd < 0)
		return pidfd;
	copy = ew_pidfd_getfd(pidfd, holder->fd);
	err = copy < 0 ? copy : copy_read(copy, cookie, ret);
	if (copy >= 0)
		close(copy);
	close(pidfd);
	return err;
}

static bool is_over(int err)
{
	return proc_is_gone(err) || err == -EBADF || err == -ESTALE;
}

static void timer_emit(const struct snapshot_timer *timer, const struct fact_holder *holder,
		       const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_KEEPALIVE, .mono = timer->mono };
	struct keepalive keepalive = { 0 };
	int err = holder_read(holder, timer->cookie, &keepalive);

	if (err) {
		if (!is_over(err))
			emit_unread(sink, 0, timer->cookie, err, "keepalive of a link");
		return;
	}
	fact.keepalive = (struct fact_keepalive){
		.cookie = timer->cookie,
		.pid = holder->pid,
		.start = holder->start,
		.on = keepalive.on ? EW_YES : EW_NO,
		.idle = keepalive.idle,
		.interval = keepalive.interval,
		.count = keepalive.count,
		.probe_in = timer->probe_in,
	};
	fact_emit(sink, &fact);
}

void keepalive_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	const struct snapshot_timer *timer;
	const struct fact_holder *holders;
	size_t n;

	for (size_t i = 0; (timer = snapshot_timer(snapshot, i)); i++) {
		if (!agent_ports_have(snapshot_ports(snapshot), timer->remote_port))
			continue;
		holders = snapshot_holders(snapshot, timer->cookie, &n);
		if (n)
			timer_emit(timer, &holders[0], sink);
	}
}
