/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes as scans and events tell of them. */
#ifndef EW_MODEL_STORE_PROCESS_EVENTS_H
#define EW_MODEL_STORE_PROCESS_EVENTS_H

#include "model/store/state.h"

/*
 * Gives a process without a Mesos environment (overwritten, or unreadable) the ids of the
 * checkpointed run whose forked.pid names it.
 */
void store_adopt(struct store *store);
/* At the end of a complete scan of processes. */
void store_end_processes(struct store *store, int64_t mono);
/* How many connections to the present agent's domain socket the process has. */
uint32_t store_unix_links(const struct store *store, const struct process *process);

#endif
