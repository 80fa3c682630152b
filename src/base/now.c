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
