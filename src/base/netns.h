/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network namespaces other than our own.
 *
 * A namespace is entered by a thread made for it, which ends afterwards: the calling thread never
 * changes its namespace, so nothing else in the process can end up in another one (setns(2) acts on
 * one thread only). Sockets stay in the namespace that they were opened in, whoever uses them.
 */
#ifndef EW_BASE_NETNS_H
#define EW_BASE_NETNS_H

#include <stdint.h>
#include <sys/types.h>

struct error;

#define NETNS_OWN (-1) /* for nsfd: the namespace of the calling thread */

/*
 * Runs fn(arg) in the namespace nsfd refers to and waits for its end. Returns what fn returned, or
 * a negative errno when the namespace could not be entered (*error is then filled; fn fills its
 * own).
 */
int netns_run(int nsfd, int (*fn)(void *arg), void *arg, struct error *error);

/* socket(2) made in the namespace; SOCK_CLOEXEC is added. Returns the descriptor, the caller's. */
int netns_socket(int nsfd, int domain, int type, int protocol, struct error *error);

/*
 * Opens the network namespace of a process and stores its inode. Returns a descriptor, the
 * caller's, or a negative errno (-ENOENT, -ESRCH: the process has ended).
 */
int netns_open_pid(pid_t pid, uint64_t *inode);

/*
 * The same by a path: /run/netns/NAME (ip-netns(8)), /proc/PID/ns/net. -EINVAL: the file is not a
 * network namespace (NS_GET_NSTYPE, Linux 4.11; before, any file of nsfs is taken).
 */
int netns_open_path(const char *path, uint64_t *inode);

/* The same by its inode, through any process that is in it; -ENOENT: none is. */
int netns_open_inode(uint64_t inode);

/* Inode of the namespace that nsfd refers to, or of our own (NETNS_OWN); 0: cannot be read. */
uint64_t netns_inode(int nsfd);

#endif
