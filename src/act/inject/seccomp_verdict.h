/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a thread's seccomp filters would return for a system call, found by running them here.
 */
#ifndef EW_ACT_INJECT_SECCOMP_VERDICT_H
#define EW_ACT_INJECT_SECCOMP_VERDICT_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SECCOMP_INSNS_MAX = 4096 /* BPF_MAXINSNS */ };

/*
 * Runs one filter. Returns its result (SECCOMP_RET_*), or SECCOMP_RET_KILL_PROCESS for a program
 * that the kernel would not accept.
 */
uint32_t seccomp_filter_run(const struct sock_filter *insns, size_t n,
			    const struct seccomp_data *data);

/* Whether the result allows the call. */
bool seccomp_allows(uint32_t result);

/*
 * Runs all filters of a thread that is stopped under ptrace for each of n calls. insns:
 * SECCOMP_INSNS_MAX entries. Returns 0: all are allowed; -EACCES: *ret_nr is not; -EINVAL: there
 * are no filters; another negative errno: they cannot be read (that needs CAP_SYS_ADMIN, and a
 * kernel with CONFIG_CHECKPOINT_RESTORE).
 */
int seccomp_verdict(pid_t tid, const struct seccomp_data *calls, size_t n,
		    struct sock_filter *insns, int *ret_nr);

#endif
