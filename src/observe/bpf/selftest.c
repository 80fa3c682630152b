/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/selftest.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "events.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/procs_map.h"
#include "observe/bpf/records.h"
#include "observe/bpf/rings.h"

#define PATIENCE (100 * NS_PER_MS)
#define TRIES	 3 /* the kernel may have skipped a program once (enum ew_bpf_miss) */
#define DEPTH	 1 /* generations of descendants that are followed: the child */

/* Both are in the ring before wait(2) returns, unless a program is still writing one before them.
 */
static void events_await(struct ew_bpf_rings *rings, const struct ew_bpf_selftest_seen *seen)
{
	struct pollfd pfd = { .fd = ew_bpf_rings_fd(rings), .events = POLLIN };
	int64_t end = now_mono() + PATIENCE;

	for (;;) {
		ew_bpf_rings_poll(rings);
		if (seen->exited || now_mono() > end)
			return;
		poll(&pfd, 1, 1);
	}
}

static int child_fork_and_exit(struct error *error)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return error_set(error, -errno, NULL, "fork for a self-test");
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int tries_run(int procs_map, struct ew_bpf_rings *rings, struct ew_bpf_selftest_seen *seen,
		     struct error *error)
{
	int err = 0;

	for (int i = 0; !err && !seen->exited && i < TRIES; i++) {
		if (seen->forked)
			ew_procs_map_remove(procs_map, (int32_t)seen->child.tgid);
		*seen = (struct ew_bpf_selftest_seen){ .parent = (uint32_t)getpid() };
		err = child_fork_and_exit(error);
		if (!err)
			events_await(rings, seen);
	}
	return err;
}

int ew_bpf_selftest(int procs_map, struct ew_bpf_rings *rings, struct ew_bpf_records *records,
		    struct error *error)
{
	struct ew_bpf_selftest_seen *seen = ew_bpf_records_selftest(records);
	uint32_t self = (uint32_t)getpid();
	struct ew_proc before;
	struct proc_stat own;
	bool was_followed;
	int err = proc_stat_of(getpid(), &own);

	if (err < 0)
		return error_set(error, err, "mount proc on /proc",
				 "read execwatch's own start time");
	ew_bpf_rings_poll(rings); /* a killed execwatch may have left a full ring */
	*seen = (struct ew_bpf_selftest_seen){ 0 };
	was_followed = bpf_map_lookup_elem(procs_map, &self, &before) == 0;
	err = ew_procs_map_add(procs_map, (int32_t)self, own.start, EW_ROLE_EXECUTOR, DEPTH, error);
	if (err)
		return err;
	err = tries_run(procs_map, rings, seen, error);
	/* execwatch may descend from an executor, or have the pid of a process that was followed */
	if (was_followed)
		bpf_map_update_elem(procs_map, &self, &before, BPF_ANY);
	else
		ew_procs_map_remove(procs_map, (int32_t)self);
	seen->parent = 0;
	if (err || seen->exited)
		return err;
	return error_set(error, -EIO,
			 "use --no-bpf; in a container, run in the host's pid namespace (hostPID)",
			 "observe by BPF: the programs are loaded, but the %s of a test child was "
			 "not reported",
			 seen->forked ? "exit" : "fork");
}
