/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Watches executors: handles events, scans the host at intervals, and ends when the condition of
 * --until holds.
 */
#ifndef EW_CLI_EVENT_LOOP_H
#define EW_CLI_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

struct child;
struct error;
struct guard;
struct session;

struct event_loop {
	struct session *session;
	enum model_until until;
	int64_t until_ns;	    /* the duration of the watch; 0: ends by `until` */
	bool forever;		    /* only an interruption ends the watch */
	uint32_t scope;		    /* what a scan reads, SCAN_ bits: what show needs */
	struct child *command;	    /* the watch does not end before it; NULL: none */
	struct guard *guard;	    /* acts when the agent ends; NULL: there is none */
	void (*hung_up)(void *ctx); /* called once when the terminal has gone; may be NULL */
	void *hung_up_ctx;
	void (*tick)(void *ctx); /* called twice a second; may be NULL */
	void *tick_ctx;
	/* Called about once a second and after each change; false ends the watch; may be NULL. */
	bool (*show)(void *ctx);
	void *ctx;
};

/* Why the watch ended. */
enum event_loop_end { LOOP_DONE, LOOP_BOUND, LOOP_INTERRUPTED, LOOP_UNSEEN };

/* Returns 0, or a negative errno when the watch could not begin. */
int event_loop_run(struct event_loop *window, enum event_loop_end *end, struct error *error);

#endif
