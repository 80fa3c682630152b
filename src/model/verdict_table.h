/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one table of verdicts: what each means for a restart, for acting and for who reads it.
 * Headlines, the gate of `run`, selection, severity, exit codes and what is looked at twice are
 * derived from it; a new verdict is one row here and one rule in judge/verdict.c.
 */
#ifndef EW_MODEL_VERDICT_TABLE_H
#define EW_MODEL_VERDICT_TABLE_H

#include <stdbool.h>

#include "model/report.h"

/* What becomes of the executor when the agent restarts now. */
enum restart_effect {
	EFFECT_UNKNOWN = 0,
	EFFECT_NOT_CONCERNED,  /* another agent's */
	EFFECT_SURVIVES,       /* it registers again */
	EFFECT_LOST_UNTREATED, /* lost, unless its link is shut down first */
	EFFECT_NEEDS_RESTART,  /* its clock may run: only a restart in time saves it */
	EFFECT_LOST,	       /* lost, whatever is done */
	EFFECT_COUNT,
};

/* May an acting verb touch its link? Rules of acting, design 4.1; 0 forbids. */
enum touch {
	TOUCH_NEVER = 0,
	TOUCH_IF_ASKED, /* with --select or --all */
	TOUCH_BY_DEFAULT,
};

enum restart_effect verdict_effect(enum verdict verdict);
enum touch verdict_touch(enum verdict verdict);
/* Why it must never be touched: a clause without a capital; NULL unless TOUCH_NEVER. */
const char *verdict_refusal(enum verdict verdict);
/* What to do, where the verdict alone says it; "": nothing, or judge/advice.c knows it. */
const char *verdict_advice(enum verdict verdict);
/* True when a change that is seen in part looks like this: a second look may show another. */
bool verdict_is_passing(enum verdict verdict);
/* The outcome of a living executor that came after the audit; KEPT requires its link. */
enum outcome verdict_appeared(enum verdict verdict);
/* False: the executor is another agent's. */
bool verdict_is_of_agent(enum verdict verdict);

/* For sorting, worst first: critical, unknown, warning, ok. */
int severity_rank(enum severity severity);

#endif
