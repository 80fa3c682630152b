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

/* A row of a table: what it is, and its verdict. */
static inline void check_row(struct node *n, const char *what, const char *want)
{
	if (strcmp(node_verdict(n, "web"), want) != 0)
		fail_msg("%s: %s, not %s", what, node_verdict(n, "web"), want);
}

/* Another process that listens on the agent's port. */
static inline struct fact_agent other_agent(const char *listen, uint64_t netns)
{
	return (struct fact_agent){ .pid = 8888,
				    .start = 88880,
				    .comm = "mesos-agent",
				    .listen = node_addr(listen),
				    .netns = netns,
				    .cookie = 31337 };
}

/* A scan that shows one more process that listens on the agent's port. */
static inline void scan_with(struct node *n, struct fact_agent agent)
{
	node_emit(n, (struct fact){ .type = FACT_SCAN,
				    .scan = { "begin", SCAN_SOCKETS | SCAN_PROCESSES } });
	for (size_t i = 0; i < n->n_procs; i++)
		node_emit_process(n, n->procs[i]);
	node_emit_sockets(n);
	node_emit(n, (struct fact){ .type = FACT_AGENT, .agent = agent });
	node_emit(n, (struct fact){ .type = FACT_SCAN,
				    .scan = { "end", SCAN_SOCKETS | SCAN_PROCESSES } });
	node_judge(n);
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
