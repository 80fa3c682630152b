/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/sock_cookies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/dirents.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/proc.h"
#include "observe/netlink/sockdiag.h"

struct seen {
	uint64_t *netns;
	size_t n, cap;
};

/* sock_diag assigns a cookie to each socket that it lists. */
static int list_all(int nsfd, uint64_t netns, struct error *error)
{
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	int more = sockdiag_open(nsfd, netns, NULL, SOCKDIAG_REAL, &list, error) ?: 1;

	while (more > 0)
		more = sockdiag_next(list, &socket, error);
	sockdiag_close(list);
	return more;
}

static bool seen_before(const struct seen *seen, uint64_t netns)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->netns[i] == netns)
			return true;
	return false;
}

static int assign_in_netns_of(struct seen *seen, int32_t pid, struct error *error)
{
	uint64_t netns;
	int fd = netns_open_pid(pid, &netns);
	int err = 0;

	if (proc_is_gone(fd))
		return 0;
	if (fd < 0)
		return error_set(error, fd, "run as root",
				 "enter the network namespace of process %d", pid);
	if (seen_before(seen, netns))
		goto out;
	err = array_reserve(&seen->netns, &seen->cap, seen->n, sizeof(*seen->netns));
	if (err < 0) {
		error_set(error, err, NULL, "list the network namespaces");
		goto out;
	}
	seen->netns[seen->n++] = netns;
	err = list_all(fd, netns, error);
out:
	close(fd);
	return err;
}

int sock_cookies_assign(struct error *error)
{
	struct seen seen = { 0 };
	struct dirents processes;
	int pid = 0, err = dirents_open(&processes, AT_FDCWD, "/proc");

	if (err < 0)
		return error_set(error, err, NULL, "list the processes");
	while (!err && (pid = dirents_next(&processes)) >= 0)
		err = assign_in_netns_of(&seen, pid, error);
	if (!err && pid != -ENOENT)
		err = error_set(error, pid, NULL, "list the processes to the end");
	dirents_close(&processes);
	free(seen.netns);
	return err;
}
