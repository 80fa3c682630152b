/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the checkpoints: will an agent that starts finish its recovery? */
#include <string.h>

#include "base/arena.h"
#include "model/finding_table.h"
#include "model/model_private.h"

/*
 * Does the next start pass over damage: has it --strict=false? Where not all of its flags are
 * known, the running agent's holds.
 */
static bool is_passed_over(const struct store *store)
{
	const struct agent *agent = store_agent(store);
	const struct fact_next_start *next = agent ? store_next_start(store, agent) : NULL;
	const struct fact_flag *strict = next ? store_flag(store, agent, true, "strict") : NULL;

	if (strict)
		return !*strict->problem &&
		       (strcmp(strict->value, "false") == 0 || strcmp(strict->value, "0") == 0);
	return store->api.strict == EW_NO && (!next || next->known != EW_YES);
}

void findings_damage_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct damage *first = NULL;
	const char *more = "";
	bool passed_over = is_passed_over(store);
	size_t n = 0;

	for (size_t i = 0; i < store->damages.n; i++) {
		const struct damage *damage = &store->damages.v[i];

		if (passed_over && damage->fatal != EW_YES)
			continue;
		n++;
		if (!first || strcmp(damage->path, first->path) < 0)
			first = damage;
	}
	if (!first)
		return;
	if (n > 1)
		more = arena_printf(report->arena, " So it does at %zu other%s.", n - 1,
				    n > 2 ? "s" : "");
	finding_add(store, report, FINDING_CHECKPOINT_DAMAGED, SEVERITY_CRITICAL,
		    arena_printf(report->arena,
				 "An agent's recovery fails at the checkpoint %s: %s.%s",
				 first->path, first->text, more),
		    "Bring the file back from a copy, or move it away and accept the loss of what "
		    "it tells of.");
}
