/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_MODEL_JUDGE_FATE_H
#define EW_MODEL_JUDGE_FATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/report.h"

/* Advice that several rules give. */
#define ADVICE_LOST "The task is lost: let its framework start it again."
#define ADVICE_LOOK "Look at the end of its stderr in its sandbox, and at the agent's log."

/* The outcome of an executor of the baseline. Filled by the rules of outcome.h. */
struct fate {
	enum outcome outcome;
	enum proof proof;
	enum cause cause; /* of an end */
	/* A warning whatever its outcome's severity: a task that failed before the window; kept
	 * where a restart was wanted. */
	bool minor;
	bool latest; /* its disconnection was not seen: deadline is the latest possible one */
	int64_t disconnected; /* mono; 0: its clock does not run */
	int64_t deadline;     /* mono; 0: none */
	int64_t ends_by;      /* mono: when it has exited at the latest, if it shuts down at its
				 deadline; 0: no deadline */
	bool ending;	      /* its deadline has passed: it shuts down, or has failed to */
	int64_t ended;	      /* mono; 0: it lives, or its end was not seen */
	int32_t killer;
	const char *killer_comm; /* the store's */
	const char *why;	 /* a sentence of the arena's */
	const char *advice;
};

#endif
