/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/now.h"

#include <time.h>

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t now_mono(void)
{
	return now(CLOCK_MONOTONIC);
}

int64_t now_wall(void)
{
	return now(CLOCK_REALTIME);
}

int now_ms_until(int64_t mono)
{
	enum { DAY_MS = 86400000 };
	int64_t left = mono - now_mono();

	if (left <= 0)
		return 0;
	return left / NS_PER_MS < DAY_MS ? (int)(left / NS_PER_MS) : DAY_MS;
}
