/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/selftest.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/now.h"
#include "observe/bpf/libbpf.h"
#include "events.h"
#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/observer_priv.h"
#include "observe/proc/procfs.h"

#define PATIENCE_NS 100000000LL
/* From 7.0 on the kernel may keep a program from an event (enum ew_bpf_skip). */
#define TRIES 3

bool ew_bpf_selftest_takes(struct ew_bpf_selftest *test, const struct ew_header *header)
{
	const struct ew_fork *fork = (const void *)header;
	const struct ew_exit *exit = (const void *)header;

	if (!test->parent)
		return false;
	if (header->type == EW_FORK && fork->parent.tgid == test->parent) {
		test->forked = true;
		test->child = fork->child;
	} else if (header->type == EW_EXIT && test->forked && exit->task.tgid == test->child.tgid &&
		   exit->task.start_ticks == test->child.start_ticks) {
		test->exited = true;
	} else {
		return false;
	}
	test->taken++;
	return true;
}

static uint64_t own_start(struct error *error)
{
	struct procfs *procfs;
	uint64_t start;

	if (procfs_new(&procfs, error) < 0)
		return 0;
	start = procfs_start(procfs, getpid());
	procfs_free(procfs);
	return start;
}

/* Both events are in the ring before wait(2) returns, unless somebody's record before is
 * unfinished. */
static void events_await(struct ew_bpf *watch)
{
	int64_t end = now_mono() + PATIENCE_NS;
	struct pollfd pfd = { .fd = ew_bpf_fd(watch), .events = POLLIN };

	for (;;) {
		ew_bpf_ring_poll(watch);
		if (watch->selftest.exited || now_mono() > end)
			return;
		poll(&pfd, 1, 1);
	}
}

static int child_live_and_die(struct error *error)
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

int ew_bpf_selftest(struct ew_bpf *watch, struct error *error)
{
	int procs = bpf_map__fd(watch->skel->maps.procs), err;
	struct ew_bpf_selftest *test = &watch->selftest;
	uint32_t self = (uint32_t)getpid();
	uint64_t start = own_start(error);
	struct ew_proc before;
	bool was_watched;

	if (!start)
		return error_set(error, -EIO, "mount /proc", "read the own start time");
	ew_bpf_ring_poll(watch); /* makes room: a killed watch may have left a full ring */
	*test = (struct ew_bpf_selftest){ .taken = test->taken };
	was_watched = bpf_map_lookup_elem(procs, &self, &before) == 0;
	err = ew_bpf_add_process(watch, (int32_t)self, start, EW_BPF_ROLE_EXECUTOR, error);
	if (err)
		return err;
	for (int i = 0; !err && !test->exited && i < TRIES; i++) {
		if (test->forked)
			ew_bpf_remove_process(watch, (int32_t)test->child.tgid);
		*test = (struct ew_bpf_selftest){ .parent = self, .taken = test->taken };
		err = child_live_and_die(error);
		if (!err)
			events_await(watch);
	}
	if (was_watched) /* descends from an executor, or follows a number that another process had
			  */
		bpf_map_update_elem(procs, &self, &before, BPF_ANY);
	else
		ew_bpf_remove_process(watch, (int32_t)self);
	test->parent = 0;
	if (err || test->exited)
		return err;
	return error_set(
		error, -EIO,
		"use --no-bpf; in a container, run in the host's pid namespace (hostPID)",
		"watch by BPF: the programs are loaded, but %s of a test child did not show",
		test->forked ? "the end" : "the birth");
}
