/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Checks that a descriptor is the requested socket, and that it may be shut down. */
#ifndef EW_ACT_INJECT_INJECT_SOCKET_H
#define EW_ACT_INJECT_INJECT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct inject_end;
struct inject_request;

/*
 * Checks copy, a copy of the descriptor: a TCP socket with the requested inode and cookie,
 * established, not shut down. Returns 0, or a negative errno with *end filled.
 */
int inject_socket_check(const struct inject_request *request, int copy, struct inject_end *end);

/*
 * The same where the kernel cannot copy descriptors: by /proc of the live thread tid, which does
 * not show the cookie.
 */
int inject_socket_check_proc(const struct inject_request *request, pid_t tid,
			     struct inject_end *end);

/*
 * Whether descriptor fd of thread tid and copy are the same open file (kcmp(2)). A quick check:
 * false also if the kernel does not support it (CONFIG_KCMP).
 */
bool inject_socket_same(int copy, pid_t tid, int fd);

/* Whether the socket behind copy has been shut down for reading; waits up to timeout_ms. */
bool inject_socket_is_shut(int copy, int timeout_ms);

#endif
