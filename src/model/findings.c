/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the rules of findings share. */
#include <string.h>

#include "base/arena.h"
#include "model/model_private.h"

/* Grows at each power of two. */
static bool findings_reserve(struct report *report)
{
	size_t n = report->n_findings;
	struct report_finding *more;

	if (n & (n - 1))
		return true;
	more = arena_array(report->arena, n ? 2 * n : 1, sizeof(*more));
	if (more && n)
		memcpy(more, report->findings, n * sizeof(*more));
	if (more)
		report->findings = more;
	return more;
}

void finding_add(const struct store *store, struct report *report, enum finding finding,
		 enum severity severity, const char *evidence, const char *cure)
{
	const char *id = finding_id(finding);

	if (findings_reserve(report))
		report->findings[report->n_findings++] = (struct report_finding){
			.id = id,
			.severity = severity,
			.evidence = evidence,
			.cure = cure,
			.effect = finding_effect(finding),
			.ignored = finding_is_in(store->session.ignored, id),
		};
}

const char *finding_texts(struct arena *arena, const char *const *texts, size_t n)
{
	enum { SHOWN = 4 };
	const char *all = "";

	for (size_t i = 0; i < n && i < SHOWN; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? "; " : "", texts[i]);
	return n > SHOWN ? arena_printf(arena, "%s; and %zu more", all, n - SHOWN) : all;
}
