/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time in which executors are watched: events as they come, a pass over the host now and then,
 * until what was waited for has happened.
 */
#ifndef EW_CLI_EVENT_LOOP_H
#define EW_CLI_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

struct child;
struct error;
struct session;

struct event_loop {
	struct session *session;
	enum model_until until;
	int64_t until_ns;      /* end after so long; 0: by until */
	bool forever;	       /* only an interruption ends it */
	uint32_t scope;	       /* what a pass over the host reads (SCAN_): what show tells of */
	struct child *command; /* not done before it has ended; NULL: there is none */
	void (*hung_up)(void *ctx); /* called once when the terminal has gone; may be NULL */
	void *hung_up_ctx;
	/* Called about once a second and after each change; false ends the window; may be NULL. */
	bool (*show)(void *ctx);
	void *ctx;
};

/* Why it ended. */
enum event_loop_end { LOOP_DONE, LOOP_BOUND, LOOP_INTERRUPTED, LOOP_UNSEEN };

/* Returns 0, or a negative errno when it could not begin. */
int event_loop_run(struct event_loop *window, enum event_loop_end *end, struct error *error);

#endif
