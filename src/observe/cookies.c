/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/cookies.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "observe/grow.h"
#include "observe/netns.h"
#include "observe/sockdiag.h"

struct seen {
	uint64_t *netns;
	size_t n, room;
};

static void ignore(void *ctx, const struct fact_socket *socket)
{
	(void)ctx;
	(void)socket;
}

static bool seen_before(const struct seen *seen, uint64_t netns)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->netns[i] == netns)
			return true;
	return false;
}

static int give(struct seen *seen, int32_t pid, struct fail *why)
{
	uint64_t netns;
	int fd = netns_of(pid, &netns);
	int err = 0;

	if (fd == -ENOENT || fd == -ESRCH)
		return 0;
	if (fd < 0)
		return fail_set(why, fd, "run as root", "enter the network namespace of process %d",
				pid);
	if (seen_before(seen, netns))
		goto out;
	err = grow(&seen->netns, &seen->room, seen->n, sizeof(*seen->netns));
	if (err < 0) {
		fail_set(why, err, NULL, "list the network namespaces");
		goto out;
	}
	seen->netns[seen->n++] = netns;
	err = sockdiag_dump(fd, netns, 0, SOCKDIAG_REAL, ignore, NULL, why);
out:
	close(fd);
	return err;
}

int cookies_give(struct fail *why)
{
	struct seen seen = { 0 };
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int err = 0;

	if (!proc)
		return fail_set(why, -errno, NULL, "list the processes");
	while (!err && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			err = give(&seen, atoi(entry->d_name), why);
	closedir(proc);
	free(seen.netns);
	return err;
}
