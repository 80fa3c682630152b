/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_PROCS_H
#define LAB_PROCS_H

#include <stddef.h>
#include <sys/types.h>

/* Processes by pid, from /proc. */

/* The roots and all their descendants, parents first; *pids is malloc'd. Returns how many. */
size_t procs_trees(const pid_t *roots, size_t n_roots, pid_t **pids);

/* SIGSTOP to the trees, then SIGKILL: as the posix launcher destroys containers. */
void procs_kill_trees(const pid_t *roots, size_t n_roots);

/* Until all its threads are in this state (proc_pid_stat(5)); for a second at most. */
void procs_await_state(pid_t pid, char state);

unsigned long long procs_start_time(pid_t pid); /* clock ticks since boot; 0: gone or zombie */

/*
 * Our own pid and start time on the host: by FD_HOST_PROC, the host's /proc, where there is one
 * (in a pid namespace with a /proc of its own); else by /proc.
 */
pid_t procs_host_pid(void);
unsigned long long procs_host_start_time(void);

int procs_pidfd(pid_t pid); /* -errno */

/* Runs a program to its end; argv NULL-terminated; input may be NULL. 0: it exited with 0. */
int procs_run(const char *const argv[], const char *input);

/* Descriptors that every process of a node is given. */
enum { FD_CONF = 250, FD_LEASH = 251, FD_NOTIFY = 252, FD_HOST_PROC = 253 };

/* Moves fd to the number `to`, inherited by children. */
void procs_place_fd(int fd, int to);

int procs_memfd(const char *name, const char *data, size_t len); /* at its start, inherited */

#endif
