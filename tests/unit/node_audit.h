/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A node of one executor, and what an audit says of it. */
#ifndef EW_TEST_NODE_AUDIT_H
#define EW_TEST_NODE_AUDIT_H

#include "node.h"

#define one(n, ...)                                                                                \
	struct node *n = node_new();                                                               \
	struct node_proc *p = node_executor(n, "web", __VA_ARGS__);                                \
	(void)p

static inline void check(struct node *n, const char *id, const char *want)
{
	assert_string_equal(node_verdict(n, id), want);
}

static inline void why_has(struct node *n, const char *id, const char *part)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	const struct report_executor *e = node_find(report, id);
	bool found = false;

	assert_non_null(e);
	for (size_t i = 0; i < e->n_why; i++)
		found |= strstr(e->why[i], part) != NULL;
	if (!found)
		fail_msg("no '%s' in '%s'", part, e->n_why ? e->why[0] : "");
	report_free(report);
}

#endif
