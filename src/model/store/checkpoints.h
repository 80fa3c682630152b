/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs as the agent's checkpoints tell them. */
#ifndef EW_MODEL_STORE_CHECKPOINTS_H
#define EW_MODEL_STORE_CHECKPOINTS_H

#include "model/store/state.h"

struct run_key store_run_key(struct store *store, const char *fid, const char *eid,
			     const char *cid);
struct run_key store_run_key_of(const struct process_facts *p);

struct checkpoint *store_checkpoint_find(const struct store *store, const struct process_facts *p);
/* key's texts are pooled. */
struct checkpoint *store_checkpoint_of_run(const struct store *store, const struct run_key *key);

/*
 * Began the process, which has the run's pid, long after forked.pid was written? Then the pid was
 * reused. False where either time is not known.
 */
bool store_pid_is_reused(const struct store *store, const struct checkpoint *checkpoint,
			 const struct process *process);

void store_end_checkpoints(struct store *store);
void store_clear_checkpoints(struct store *store);

#endif
