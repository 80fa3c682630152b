/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the findings about the unit that runs the agent share. */
#ifndef EW_MODEL_FINDINGS_SERVICE_H
#define EW_MODEL_FINDINGS_SERVICE_H

#include <string.h>

#include "model/model_private.h"

#define SERVICE_SLICE "mesos_executors.slice"

struct service_subject {
	const struct executors *view;
	const struct fact_service *service;
	int32_t agent; /* pid */
	struct report *report;
	struct arena *arena;
};

static inline bool text_is(const char *text, const char *word)
{
	return strcmp(text, word) == 0;
}

static inline bool text_begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

void service_finding(const struct service_subject *s, enum finding finding, enum severity severity,
		     const char *evidence, const char *cure);
/* True when stopping a unit of that KillMode ends all that is in its cgroup. */
bool service_kills_all(const char *kill_mode);
bool service_is_ours(const struct executors *view, const struct executor *executor);
/* How many ExecStartPre= of its files have to succeed; *first is the first of them. */
size_t service_steps_that_count(const struct service_subject *s, const char **first);

/* findings_service_stop.c: what dies, or lives on, when the unit is stopped. */
void service_stop_fill(const struct service_subject *s);
/* findings_service_clocks.c: its times against the clocks of a window. */
void service_clocks_fill(const struct service_subject *s);
/* findings_orders.c: commands that end the executors; of the unit, and of `run`. */
void service_orders_fill(const struct service_subject *s);
void command_orders_fill(const struct store *store, struct report *report);

#endif
