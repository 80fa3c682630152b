/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The descriptors of living processes that lead to connections and listeners. */
#ifndef EW_MODEL_JUDGE_HOLDINGS_H
#define EW_MODEL_JUDGE_HOLDINGS_H

#include "model/store/store.h"

struct arena;

struct holding {
	const struct process *process;
	const struct connection *conn;
	int32_t fd;
};

struct holdings {
	struct holding *v;
	size_t n;
};

/* Sorted by process, then socket. v is NULL when the arena is broken. */
struct holdings holdings_build(const struct store *store, struct arena *arena);
/* Those of one process: a part of all. */
struct holdings holdings_of(const struct holdings *all, const struct process *process);

#endif
