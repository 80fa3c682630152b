/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Injections by ptrace run in a child process, the worker. The death of a tracer releases its
 * target (never EXITKILL), so a timer that kills the child bounds every wait, even for a target
 * that does not stop (a running thread cannot be detached otherwise). One child makes many
 * injections, one after the other: starting and ending a child costs more than an injection. It
 * ends with its parent.
 */
#ifndef EW_ACT_INJECT_INJECT_WORKER_H
#define EW_ACT_INJECT_INJECT_WORKER_H

#include "act/inject/inject_result.h"

/*
 * Runs the request by ptrace until it has ended or its deadline has passed. copy: of the socket,
 * or -1; stays the caller's. Fills *result, but for what inject_result_fill() makes of *end, and
 * *end; returns 0 if done, else a negative errno.
 */
int inject_worker_run(struct inject_worker *worker, const struct inject_request *request, int copy,
		      struct inject_result *result, struct inject_end *end);

#endif
