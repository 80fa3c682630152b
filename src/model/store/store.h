/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model's memory. store_apply() puts facts in; what is known is read from state.h and by the
 * functions of the headers below. Private to the model.
 *
 * Calls go one way, from a row of this list to rows above it:
 *
 *	memory
 *	processes  connection_index  observation  acts  session  services  next_start  node
 *	connection_rows  checkpoints  agents  tracking
 *	process_connections  task_ends  agent_choice
 *	links  listings  process_events
 *	registration
 *	connections
 *	messages
 *	snapshots
 *	store
 */
#ifndef EW_MODEL_STORE_STORE_H
#define EW_MODEL_STORE_STORE_H

#include "model/store/acts.h"
#include "model/store/agent_choice.h"
#include "model/store/checkpoints.h"
#include "model/store/connection_rows.h"
#include "model/store/links.h"
#include "model/store/listings.h"
#include "model/store/memory.h"
#include "model/store/next_start.h"
#include "model/store/node.h"
#include "model/store/observation.h"
#include "model/store/process_connections.h"
#include "model/store/process_events.h"
#include "model/store/processes.h"
#include "model/store/services.h"
#include "model/store/state.h"
#include "model/store/task_ends.h"

void store_init(struct store *store);
void store_clear(struct store *store);
void store_apply(struct store *store, const struct fact *fact);

#endif
