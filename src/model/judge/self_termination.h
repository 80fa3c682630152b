/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of an executor that ends itself: when it begins, how long it takes, what is true
 * meanwhile. */
#ifndef EW_MODEL_JUDGE_SELF_TERMINATION_H
#define EW_MODEL_JUDGE_SELF_TERMINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/store/store.h"

/* When it begins, of an executor cut off since down: a second disconnect does not wait. mono ns. */
int64_t self_termination_begins(const struct process *process, int64_t down,
				int64_t recovery_timeout);
/* When it has ended at the latest. */
int64_t self_termination_by(const struct process *process, int64_t begins);
/* It has begun, and there is no link over which the executor may have registered unseen. */
bool self_termination_is_on(const struct store *store, const struct process *process,
			    size_t n_links, int64_t begins);
/* Sentences on one that is ending, and on one that should have ended. */
const char *self_termination_why(const struct store *store, const struct process *process,
				 int64_t begins);
const char *self_termination_advice(const struct store *store, const struct process *process,
				    int64_t begins);

#endif
