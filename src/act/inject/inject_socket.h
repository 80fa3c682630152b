/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is a target's descriptor the very socket that is meant, and one that may be shut down? */
#ifndef EW_ACT_INJECT_INJECT_SOCKET_H
#define EW_ACT_INJECT_INJECT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct inject_report;
struct inject_target;

/*
 * Checks copy, a copy of the target's descriptor: a TCP socket with the inode and the cookie that
 * are meant, established, not shut down. Returns 0, or a negative errno with the report filled.
 */
int inject_socket_check(const struct inject_target *t, int copy, struct inject_report *rep);

/*
 * The same where the kernel cannot copy descriptors: by /proc of the live thread tid. It cannot see
 * the cookie.
 */
int inject_socket_check_proc(const struct inject_target *t, pid_t tid, struct inject_report *rep);

/* The inode behind the descriptor as /proc shows it now; 0: closed, or no socket. */
uint64_t inject_socket_inode(pid_t pid, pid_t tid, int fd);

/*
 * Whether descriptor fd of thread tid is the very open file of copy. The quick look; false can also
 * mean that this kernel cannot tell (kcmp, CONFIG_KCMP).
 */
bool inject_socket_same(int copy, pid_t tid, int fd);

/* Whether the descriptor is open at all. */
bool inject_socket_open(pid_t pid, pid_t tid, int fd);

/* Whether the socket behind copy has been shut down for reading; waits up to timeout_ms. */
bool inject_socket_is_shut(int copy, int timeout_ms);

#endif
