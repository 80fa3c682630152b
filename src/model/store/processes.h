/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes by pid and start time. */
#ifndef EW_MODEL_STORE_PROCESSES_H
#define EW_MODEL_STORE_PROCESSES_H

#include "model/store/state.h"

/* False for NULL, after its exit, and once a complete scan no longer shows it. */
bool process_is_alive(const struct process *process);
/* By its environment or, before that was read, by what it said. */
bool process_is_executor(const struct process *process);

/* NULL when there is none, or no memory. */
struct process *store_process(struct store *store, int32_t pid, uint64_t start);
struct process *store_process_find(const struct store *store, int32_t pid, uint64_t start);
/* NULL: there is no such process, or it is not known to be an executor. */
struct process *store_executor_find(const struct store *store, int32_t pid, uint64_t start);
void store_clear_processes(struct store *store);

#endif
