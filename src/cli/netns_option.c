/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/netns_option.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/netns.h"

int netns_option_open(const char *name, int *nsfd, struct error *error)
{
	uint64_t inode;
	char *end;
	long pid;
	int fd;

	*nsfd = NETNS_OWN;
	if (!name)
		return 0;
	pid = strtol(name, &end, 10);
	fd = !*end && pid > 0 && pid <= INT32_MAX ? netns_open_pid((pid_t)pid, &inode)
						  : netns_open_path(name, &inode);
	if (fd >= 0) {
		*nsfd = fd;
		return 0;
	}
	return error_set(error, fd,
			 fd == -EACCES || fd == -EPERM
				 ? "run as root"
				 : "--netns takes the pid of a process in it, or a path such as "
				   "/run/netns/NAME",
			 "open the network namespace '%s'", name);
}
