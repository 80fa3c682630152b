/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the findings about the unit that runs the agent share. */
#ifndef EW_MODEL_FINDINGS_SERVICE_H
#define EW_MODEL_FINDINGS_SERVICE_H

#include <string.h>

#include "model/model_private.h"

#define SERVICE_SLICE "mesos_executors.slice"

/* A unit that is judged: the running agent's, or the one that --next-unit names. */
struct service_subject {
	const struct executors *view;
	const struct fact_service *service;
	const struct fact_service *before; /* of a next unit: the running agent's; NULL: none */
	const char *name;		   /* of the unit, as findings tell it */
	int32_t agent;			   /* pid */
	bool starts;			   /* the coming start is this unit's */
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
/* True for ExecCondition=, ExecStartPre= and ExecStart=. */
bool service_step_starts(const char *step);
/*
 * True for a step whose failure keeps the agent from starting: ExecCondition= or ExecStartPre=
 * without "-".
 */
bool service_step_counts(const char *step);
/* How many of its files' steps count; *first is the first of them. */
size_t service_steps_that_count(const struct service_subject *s, const char **first);
/* "Set KillMode=process in …, then audit again." */
const char *service_setting_cure(const struct service_subject *s, const char *settings);

/* How many executors of the agent are in the unit's cgroup. */
size_t service_executors_inside(const struct service_subject *s);
/* findings_service_stop.c: what dies, or lives on, when the unit is stopped. */
void service_stop_fill(const struct service_subject *s);
/* findings_service_clocks.c: its times against the clocks of a window. */
void service_clocks_fill(const struct service_subject *s);
/* findings_orders.c: commands that end the executors; of the unit, and of `run`. */
void service_orders_fill(const struct service_subject *s);
void command_orders_fill(const struct store *store, struct report *report);

#endif
