/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/keepalive.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/now.h"

static int get(int fd, int level, int name, uint32_t *ret)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level, name, &value, &len) < 0)
		return -errno;
	*ret = (uint32_t)value;
	return 0;
}

static int set(int fd, int level, int name, uint32_t value)
{
	int number = (int)value;

	return setsockopt(fd, level, name, &number, sizeof(number)) < 0 ? -errno : 0;
}

int keepalive_read(int fd, struct keepalive *ret)
{
	uint32_t on = 0;
	int err = get(fd, SOL_SOCKET, SO_KEEPALIVE, &on);

	ret->on = on != 0;
	if (!err)
		err = get(fd, IPPROTO_TCP, TCP_KEEPIDLE, &ret->idle);
	if (!err)
		err = get(fd, IPPROTO_TCP, TCP_KEEPINTVL, &ret->interval);
	if (!err)
		err = get(fd, IPPROTO_TCP, TCP_KEEPCNT, &ret->count);
	return err;
}

/* TCP_KEEPIDLE last, which sets the timer anew by the time of the last packet. */
int keepalive_write(int fd, const struct keepalive *wanted)
{
	int err = set(fd, IPPROTO_TCP, TCP_KEEPINTVL, wanted->interval);

	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_KEEPCNT, wanted->count);
	if (!err)
		err = set(fd, SOL_SOCKET, SO_KEEPALIVE, wanted->on);
	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, wanted->idle);
	return err;
}

bool keepalive_equal(const struct keepalive *a, const struct keepalive *b)
{
	return a->on == b->on && a->idle == b->idle && a->interval == b->interval &&
	       a->count == b->count;
}

/* Interval and count do not matter while probes are answered. See keepalive.h. */
struct keepalive keepalive_for(uint32_t idle)
{
	return (struct keepalive){
		.on = true, .idle = idle, .interval = idle, .count = KEEPALIVE_COUNT_MAX
	};
}

uint32_t keepalive_idle_for(int64_t lifetime)
{
	int64_t idle = lifetime / 4 / NS_PER_S;

	return idle < 1			       ? 1
	       : idle > KEEPALIVE_IDLE_LONGEST ? KEEPALIVE_IDLE_LONGEST
					       : (uint32_t)idle;
}
