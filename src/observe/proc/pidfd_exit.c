/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/pidfd_exit.h"

#include <sys/ioctl.h>

#include "base/proc.h"

/* uapi/linux/pidfd.h of 6.15, which is younger than many a build host's headers. */
struct info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};

_Static_assert(sizeof(struct info) == 64, "PIDFD_INFO_SIZE_VER0");

#define INFO_EXIT (UINT64_C(1) << 3)
#define INFO_GET  _IOWR(0xff, 11, struct info)

/* A status of 0 may also mean that it is hidden from this reader: no answer then. */
static int32_t zombie_status(int32_t pid, uint64_t start)
{
	struct proc_stat stat;

	if (proc_stat_of(pid, &stat) < 0 || stat.start != start || stat.state != 'Z')
		return -1;
	return stat.exit_code ? stat.exit_code : -1;
}

int32_t pidfd_exit_status(int pidfd, int32_t pid, uint64_t start)
{
	struct info info = { .mask = INFO_EXIT };

	if (pidfd >= 0 && ioctl(pidfd, INFO_GET, &info) == 0 && info.mask & INFO_EXIT)
		return info.exit_code;
	return zombie_status(pid, start);
}
