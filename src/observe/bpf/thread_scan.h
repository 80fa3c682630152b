/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes have a thread whose state must be read from /proc (bpf/threads.bpf.c). */
#ifndef EW_OBSERVE_BPF_THREAD_SCAN_H
#define EW_OBSERVE_BPF_THREAD_SCAN_H

struct ew_thread_scan;
struct pid_set;

/*
 * Errors: -ENOTSUP (not in the host's pid namespace), those of loading (a kernel before 5.17, a
 * missing capability). Without it the threads of each executor are read from /proc.
 */
int ew_thread_scan_open(struct ew_thread_scan **ret);
void ew_thread_scan_free(struct ew_thread_scan *scan); /* NULL is fine */

/*
 * Looks at every thread of the host. Fills pids with the processes (host pids) of those that are
 * stopped, traced, in uninterruptible sleep, or in any state but running and interruptible sleep.
 * Returns 0 or a negative errno: then pids says nothing.
 */
int ew_thread_scan_run(struct ew_thread_scan *scan, struct pid_set *pids);

#endif
