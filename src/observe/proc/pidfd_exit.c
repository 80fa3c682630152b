/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/pidfd_exit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "observe/proc/procfs_file.h"

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

int pidfd_exit_open(int32_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

bool pidfd_exit_gone(int pidfd)
{
	struct pollfd poller = { .fd = pidfd, .events = POLLIN };

	return poll(&poller, 1, 0) == 1 && poller.revents & (POLLIN | POLLHUP);
}

static int dir_open(int32_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool pidfd_exit_gone_by_proc(int32_t pid, uint64_t start)
{
	int dir = dir_open(pid);
	struct procfs_stat stat;
	struct stat threads;
	bool gone = true;

	if (dir < 0)
		return true;
	if (procfs_file_stat(dir, &stat) == 0 && stat.start == start) {
		gone = stat.state == 'X';
		/* A leader that has ended waits as a zombie for its threads: one entry for each. */
		if (stat.state == 'Z')
			gone = fstatat(dir, "task", &threads, 0) < 0 || threads.st_nlink <= 3;
	}
	close(dir);
	return gone;
}

/* The last field of /proc/PID/stat, 0 for who may not know: no answer then. */
static int32_t zombie_status(int32_t pid, uint64_t start)
{
	int dir = dir_open(pid);
	struct procfs_stat stat;
	int32_t status = -1;
	char line[1024];
	const char *last;

	if (dir < 0)
		return -1;
	if (procfs_file_stat(dir, &stat) == 0 && stat.start == start && stat.state == 'Z' &&
	    procfs_file_read(dir, "stat", line, sizeof(line)) > 0 && (last = strrchr(line, ' ')))
		status = (int32_t)strtol(last, NULL, 10);
	close(dir);
	return status ? status : -1;
}

int32_t pidfd_exit_status(int pidfd, int32_t pid, uint64_t start)
{
	struct info info = { .mask = INFO_EXIT };

	if (pidfd >= 0 && ioctl(pidfd, INFO_GET, &info) == 0 && info.mask & INFO_EXIT)
		return info.exit_code;
	return zombie_status(pid, start);
}
