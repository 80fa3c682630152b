/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Proofs that an executor has registered with the agent that is there now. */
#ifndef EW_MODEL_JUDGE_PROOF_H
#define EW_MODEL_JUDGE_PROOF_H

#include "model/judge/executor.h"
#include "model/report.h"

/* True when the present agent holds the other end of each of its links, and it has one. */
bool proof_is_linked(const struct store *store, const struct executor *executor);
/* With an agent that is another process than that of the baseline. */
enum proof proof_of_restarted(const struct store *store, const struct executor *executor);
/*
 * With an agent that never restarted: it still lists executors whose link it lost, and a v0 driver
 * cannot return to it.
 */
enum proof proof_of_same(const struct store *store, const struct executor *executor);

#endif
