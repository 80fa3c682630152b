/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the checkpoints: will an agent that starts finish its recovery? */
#include <string.h>

#include "base/arena.h"
#include "model/finding_table.h"
#include "model/model_private.h"

/* Unless it was started with --strict=false, which then holds for the next start too. */
static bool is_fatal(const struct store *store, const struct damage *damage)
{
	return damage->fatal == EW_YES || store->api.strict != EW_NO;
}

void findings_damage_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct damage *first = NULL;
	const char *more = "";
	size_t n = 0;

	for (size_t i = 0; i < store->damages.n; i++) {
		const struct damage *damage = &store->damages.v[i];

		if (!is_fatal(store, damage))
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
