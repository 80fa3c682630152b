/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is a target's descriptor the very socket that is meant, and one that may be shut down? */
#ifndef EW_ACT_INJECT_INJECT_SOCKET_H
#define EW_ACT_INJECT_INJECT_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct inject_result;
struct inject_request;

/*
 * Checks copy, a copy of the target's descriptor: a TCP socket with the inode and the cookie that
 * are meant, established, not shut down. Returns 0, or a negative errno with *result filled.
 */
int inject_socket_check(const struct inject_request *request, int copy,
			struct inject_result *result);

/*
 * The same where the kernel cannot copy descriptors: by /proc of the live thread tid. It cannot see
 * the cookie.
 */
int inject_socket_check_proc(const struct inject_request *request, pid_t tid,
			     struct inject_result *result);

/*
 * Whether descriptor fd of thread tid is the very open file of copy. The quick look; false can also
 * mean that this kernel cannot tell (kcmp, CONFIG_KCMP).
 */
bool inject_socket_same(int copy, pid_t tid, int fd);

/* Whether the socket behind copy has been shut down for reading; waits up to timeout_ms. */
bool inject_socket_is_shut(int copy, int timeout_ms);

#endif
