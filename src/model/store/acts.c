/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/acts.h"

#include <string.h>
#include <stdlib.h>

#include "model/store/apply.h"
#include "model/store/memory.h"

static void treatment_add(struct store *store, const struct fact *fact)
{
	if (store_reserve(store, store->treatments))
		store->treatments.v[store->treatments.n++] =
			(struct treatment){ fact->act.pid, fact->act.start, fact->mono };
}

static void hold_add(struct store *store, const struct fact *fact)
{
	if (store_reserve(store, store->holds))
		store->holds.v[store->holds.n++] =
			(struct treatment){ fact->act.pid, fact->act.start, fact->mono };
}

/* 0: it was not held, as far as is known. */
static int64_t last_hold(const struct store *store, const struct process *process)
{
	int64_t at = 0;

	for (size_t i = 0; i < store->holds.n; i++)
		if (store->holds.v[i].pid == process->key.pid &&
		    store->holds.v[i].start == process->key.start)
			at = store->holds.v[i].at;
	return at;
}

int64_t store_held_at(const struct store *store, const struct process *process)
{
	int64_t at = last_hold(store, process);

	return at >= store->session_began && at > process->history.last_down &&
			       at > process->history.registered
		       ? at
		       : 0;
}

bool store_held_since(const struct store *store, const struct process *process, int64_t mono)
{
	return last_hold(store, process) > mono;
}

bool store_held_before(const struct store *store, const struct process *process)
{
	for (size_t i = 0; i < store->holds.n; i++)
		if (store->holds.v[i].pid == process->key.pid &&
		    store->holds.v[i].start == process->key.start &&
		    store->holds.v[i].at < store->session_began)
			return true;
	return false;
}

int64_t store_treated_at(const struct store *store, int32_t pid, uint64_t start)
{
	int64_t at = 0;

	for (size_t i = 0; i < store->treatments.n; i++)
		if (store->treatments.v[i].pid == pid && store->treatments.v[i].start == start)
			at = store->treatments.v[i].at;
	return at;
}

/* An act of an earlier session, read from the audit log, is not part of this report. */
void store_apply_act(struct store *store, const struct fact *fact)
{
	struct fact_act act = fact->act;

	act.phase = store_text(store, act.phase);
	if (strcmp(act.phase, "result") != 0)
		return;
	act.action = store_text(store, act.action);
	act.framework_id = store_text(store, act.framework_id);
	act.executor_id = store_text(store, act.executor_id);
	act.method = store_text(store, act.method);
	act.result = store_text(store, act.result);
	act.proof = store_text(store, act.proof);
	act.bytes = store_text(store, act.bytes);
	if (strcmp(act.result, "done") == 0 && strcmp(act.action, "shutdown") == 0)
		treatment_add(store, fact);
	if (strcmp(act.result, "held") == 0)
		hold_add(store, fact);
	if (fact->mono < store->session_began)
		return;
	act.reason = store_text(store, act.reason);
	act.reason_id = store_text(store, act.reason_id);
	if (store_reserve(store, store->acts))
		store->acts.v[store->acts.n++] = (struct act){ .facts = act, .at = fact->mono };
}
