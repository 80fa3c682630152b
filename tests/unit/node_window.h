/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The story that most tests of outcomes begin with, and how they end. */
#ifndef EW_TEST_NODE_WINDOW_H
#define EW_TEST_NODE_WINDOW_H

#include "node.h"

#define EXIT_WITH(code) ((code) << 8)

/* A node of one executor that was audited a second ago, with a watch that goes on. */
#define one(n, p, ...)                                                                             \
	struct node *n = node_new();                                                               \
	struct node_proc *p = node_executor(n, "web", __VA_ARGS__);                                \
	node_snapshot(n);                                                                          \
	node_baseline(n);                                                                          \
	node_wait(n, 1)

static inline void is(struct node *n, const char *want)
{
	node_judge(n);
	assert_string_equal(node_outcome(n, "web"), want);
}

#endif
