/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first process of a pid namespace: when it ends, the kernel kills all others in the namespace,
 * and in those below it, pid_namespaces(7).
 */
#ifndef EW_OBSERVE_PROC_PIDNS_INIT_H
#define EW_OBSERVE_PROC_PIDNS_INIT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Host pid of the first process of the pid namespace with that inode, of which pid is a member;
 * own: the inode of our own. Found among the parents of pid or, where it was not born there
 * (nsenter), among all processes. 0: not found.
 */
int32_t pidns_init_find(int32_t pid, uint64_t pidns, uint64_t own);

/* Fills fact_process.pidns_outer of the process of that directory of /proc (ioctl NS_GET_PARENT,
 * Linux 4.9). */
void pidns_outer_find(int dir, char *buf, size_t size);

#endif
