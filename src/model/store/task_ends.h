/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How tasks and executors ended, by run. */
#ifndef EW_MODEL_STORE_TASK_ENDS_H
#define EW_MODEL_STORE_TASK_ENDS_H

#include "model/store/state.h"

void store_apply_task_message(struct store *store, const struct process *process,
			      const struct fact *fact);
void store_clear_run_ends(struct store *store);
/* NULL: nothing is known. key's texts are pooled. */
const struct run_end *store_run_end(const struct store *store, const struct run_key *key);

#endif
