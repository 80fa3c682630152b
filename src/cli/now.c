/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/now.h"

#include <time.h>

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int64_t now_mono(void)
{
	return now(CLOCK_MONOTONIC);
}

int64_t now_wall(void)
{
	return now(CLOCK_REALTIME);
}
