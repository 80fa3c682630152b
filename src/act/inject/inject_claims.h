/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Claims: which processes a worker is working on. A worker that is stuck in the kernel outlives a
 * SIGKILL, and the program that started it; whoever injects next leaves its target alone.
 *
 * A claim is a POSIX record lock (fcntl(2), F_SETLK) on byte PID of a file that the caller
 * provides; byte 0 is the caller's. The kernel drops it when the worker has ended, and a forked
 * child does not inherit it. The functions do nothing for the descriptor 0, which means "no file".
 */
#ifndef EW_ACT_INJECT_INJECT_CLAIMS_H
#define EW_ACT_INJECT_INJECT_CLAIMS_H

#include <sys/types.h>

struct inject_end;
struct inject_request;

/* Has another process claimed that of the request? Then returns -EBUSY, with *end filled; else 0.
 */
int inject_claims_check(const struct inject_request *request, struct inject_end *end);

/* Claims it for the caller, or the same as inject_claims_check(). */
int inject_claims_take(const struct inject_request *request, struct inject_end *end);
void inject_claims_drop(const struct inject_request *request);

/*
 * The first claim of another process on a process id above after. Returns the claimed id, and its
 * holder in *holder; 0: there is none.
 */
pid_t inject_claims_next(int file, pid_t after, pid_t *holder);

#endif
