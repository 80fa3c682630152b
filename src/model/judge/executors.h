/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the executors in the store: for each run the process that is the executor, and its
 * connections. Built for each report; points into the store.
 */
#ifndef EW_MODEL_JUDGE_EXECUTORS_H
#define EW_MODEL_JUDGE_EXECUTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/judge/executor.h"

struct arena;

struct executors {
	const struct store *store;
	struct executor *executors;
	size_t n_executors;
	const struct executor **by_pid; /* sorted; NULL: the arena is broken */
	/*
	 * Processes that claim the ids of an executor in their environment, which any user can set,
	 * while forked.pid, its session and its listener lead elsewhere, or the agent knows of no
	 * such executor.
	 */
	size_t n_claims;
	int32_t claims[3];		 /* pids of the first */
	const struct connection **links; /* of all executors, sorted by address */
	size_t n_links;
};

/* Memory is the arena's; what does not fit is missing and the arena broken. */
void executors_build(struct executors *view, const struct store *store, struct arena *arena);

/* NULL: the process has exited, or is no executor. */
const struct executor *executors_find(const struct executors *view, int32_t pid, uint64_t start);

/* True for a link of one of the executors. */
bool executors_have_link(const struct executors *view, const struct connection *conn);

#endif
