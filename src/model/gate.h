/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gate of `run`: may the command that restarts the agent be started? Only when each executor is
 * safe, treated, covered by the guard, waiting for just that restart, or its verdict accepted by
 * name, and no critical finding stands.
 */
#ifndef EW_MODEL_GATE_H
#define EW_MODEL_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/report.h"

struct gate {
	bool open;
	size_t lost;	   /* executors that the restart would lose */
	size_t unknown;	   /* executors of which nothing certain is known */
	size_t findings;   /* critical ones */
	bool blind;	   /* there was nothing to judge, or sources that decide were not read */
	uint32_t verdicts; /* bits 1 << enum verdict of those that keep it shut */
};

/*
 * accepted: bits 1 << enum verdict. guarded: a guard is armed, which treats those that it covers
 * (model_guard_covers()) when the agent ends; an executor whose treatment has failed is not
 * covered. audit is of the node as it stands after the treatment.
 */
struct gate gate_judge(const struct report *audit, uint32_t accepted, bool guarded);

/* 0 for an open gate, else 2 (something would be lost) or 3 (nobody knows). */
int gate_exit_code(const struct gate *gate);

#endif
