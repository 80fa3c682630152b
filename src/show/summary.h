/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_SHOW_SUMMARY_H
#define EW_SHOW_SUMMARY_H

#include <stdio.h>

#include "model/report.h"

/*
 * The answer, in one or a few sentences without a newline: what a restart of the agent would cost
 * (audit), what was done (shutdown), what became of the executors (verify, run). Names of strangers
 * are never in it.
 */
void summary_write(FILE *out, const struct report *report);

#endif
