/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of one target of act_shutdown(): its call, its effect, copies in children, its end.
 */
#ifndef EW_ACT_SHUTDOWN_ACT_H
#define EW_ACT_SHUTDOWN_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "act/act_report.h"
#include "act/inject/inject_api.h"
#include "act/inject/inject_copies.h"

struct fact;
struct shutdown_target;

struct shutdown_act {
	const struct shutdown_target *asked;
	bool begun;   /* the call was, or may have been, made */
	bool closing; /* refused, but the executor may be closing it with its other connection */
	bool reported;
	int64_t begun_at;
	struct inject_result injected;
	struct act_result end;
	int64_t effect;
	int64_t ended_at; /* when the result was known; 0: not yet */
	bool settled;	  /* copies is filled */
	struct inject_copies copies;
};

/* forbidden, changed, and all of a dry run have their result at once. */
void shutdown_act_init(struct shutdown_act *act, const struct shutdown_target *asked, bool dry_run);

/* phase: "intent", "result". The fact points into act. */
struct fact shutdown_act_fact(const struct shutdown_act *act, const char *phase);

/*
 * Makes the call, or takes over that of asked->injected. sibling: the act on the other connection
 * of the same process, if it was begun before; else NULL.
 */
void shutdown_act_begin(struct shutdown_act *act, const struct shutdown_act *sibling,
			struct inject_worker *worker);

/* Was something done to it of which not all is known yet? */
bool shutdown_act_is_open(const struct shutdown_act *act);

/* Looks at an open one. True: its result is known, and is to be reported. */
bool shutdown_act_check(struct shutdown_act *act);

#endif
