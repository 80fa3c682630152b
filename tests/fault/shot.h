/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One injection by a process of its own, the operator, which may be killed at any moment. */
#ifndef EW_FAULT_SHOT_H
#define EW_FAULT_SHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "act/inject/inject_api.h"

enum shot_method { SHOT_AUTO, SHOT_FRAME, SHOT_PIDFD, SHOT_CLASSIC, SHOT_GDB, SHOT_METHODS };

enum shot_kill {
	SHOT_KILL_NONE,
	SHOT_KILL_AT_CALL, /* before or after the nth system call of the process that injects */
	SHOT_KILL_AT_TIME, /* after a delay; its child dies with it */
};

/* What is killed during the first of two injections. */
enum shot_loss { SHOT_LOSES_NOTHING, SHOT_LOSES_TARGET, SHOT_LOSES_CHILD };

struct shot_plan {
	enum shot_method method;
	bool planned; /* as a guard does it: by a plan made before, with real-time priority */
	const struct inject_request *first; /* injected into before, by the same worker; or NULL */
	enum shot_loss loss;
	unsigned loss_nth; /* from the call that attaches to the first target */
	enum shot_kill kill;
	bool from_hold;	   /* count from the call that attaches to t or, by pidfd, copies */
	unsigned nth;	   /* counted twice for each call: at its entry and at its exit */
	uint64_t delay_us; /* for SHOT_KILL_AT_TIME */
};

struct shot_result {
	bool killed;   /* before the injection had ended */
	bool reported; /* the operator has filled res */
	bool first_reported;
	bool hung; /* it did not end in time */
	int err;
	int64_t calls; /* of shutdown() by the injecting process and what it started; -1: not
			  counted */
	struct inject_result res, first_res;
};

const char *shot_method_name(enum shot_method method);

/* tracepoint: the number of syscalls/sys_enter_shutdown, or -1. */
void shot_fire(const struct inject_request *t, const struct shot_plan *plan, int tracepoint,
	       struct shot_result *ret);

#endif
