/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network namespaces other than our own.
 *
 * A namespace is entered by a thread made for it, which ends afterwards: the calling thread never
 * changes its namespace, so nothing else in the process can end up in a foreign one (setns(2) acts
 * on one thread only). Sockets stay in the namespace they were opened in, whoever uses them.
 */
#ifndef EW_OBSERVE_NETLINK_NETNS_H
#define EW_OBSERVE_NETLINK_NETNS_H

#include <stdint.h>
#include <sys/types.h>

struct error;

#define NETNS_OWN (-1) /* for nsfd: stay where we are */

/*
 * Runs fn(arg) in the namespace nsfd refers to and waits for its end. Returns what fn returned, or
 * a negative errno when the namespace could not be entered (*error is then filled; fn fills its
 * own).
 */
int netns_run(int nsfd, int (*fn)(void *arg), void *arg, struct error *error);

/* socket(2) made in the namespace; SOCK_CLOEXEC is added. Returns the descriptor, the caller's. */
int netns_socket(int nsfd, int domain, int type, int protocol, struct error *error);

/*
 * Opens the network namespace of a process and tells its inode. Returns a descriptor, or a
 * negative errno (-ENOENT, -ESRCH: it is gone).
 */
int netns_of(pid_t pid, uint64_t *inode);

/* The same where only the inode is known, by any process that is there; -ENOENT: none. */
int netns_find(uint64_t inode);

#endif
