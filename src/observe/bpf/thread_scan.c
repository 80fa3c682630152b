/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/thread_scan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pid_set.h"
#include "base/proc.h"
#include "observe/bpf/libbpf.h"
#include "threads.skel.h"

enum { ROWS = 4096 }; /* of one read(2) */

struct ew_thread_scan {
	struct threads_bpf *skel;
};

int ew_thread_scan_open(struct ew_thread_scan **ret)
{
	struct ew_thread_scan *scan;
	int err;

	/* From within another pid namespace the iterator shows only its threads. */
	if (proc_ns_own("pid") != PROC_PIDNS_INIT)
		return -ENOTSUP;
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return -ENOMEM;
	scan->skel = threads_bpf__open();
	err = scan->skel ? threads_bpf__load(scan->skel) : -ENOMEM;
	if (err) {
		ew_thread_scan_free(scan);
		return err;
	}
	*ret = scan;
	return 0;
}

void ew_thread_scan_free(struct ew_thread_scan *scan)
{
	if (!scan)
		return;
	threads_bpf__destroy(scan->skel);
	free(scan);
}

static int iteration_open(const struct ew_thread_scan *scan)
{
	int link = bpf_link_create(scan->skel->progs.thread_row.prog_fd, 0, BPF_TRACE_ITER, NULL);
	int fd;

	if (link < 0)
		return link;
	fd = bpf_iter_create(link);
	close(link);
	return fd;
}

/* The kernel gives whole rows. Returns the number of bytes, 0 at the end. */
static ssize_t rows_read(int fd, int32_t *rows)
{
	ssize_t n;

	do
		n = read(fd, rows, ROWS * sizeof(*rows));
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n < 0 ? -errno : n;
}

int ew_thread_scan_run(struct ew_thread_scan *scan, struct pid_set *pids)
{
	int32_t *rows = malloc(ROWS * sizeof(*rows));
	int fd = rows ? iteration_open(scan) : -ENOMEM, err = fd < 0 ? fd : 0;
	ssize_t n = 0;

	pid_set_clear(pids);
	while (!err && (n = rows_read(fd, rows)) > 0)
		for (size_t i = 0; !err && i < (size_t)n / sizeof(*rows); i++)
			err = pid_set_add(pids, rows[i]);
	if (fd >= 0)
		close(fd);
	free(rows);
	pid_set_sort(pids);
	return err ? err : (int)n;
}
