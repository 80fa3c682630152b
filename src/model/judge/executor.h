/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An executor as the store knows it: executors.h finds them. */
#ifndef EW_MODEL_JUDGE_EXECUTOR_H
#define EW_MODEL_JUDGE_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include "model/store/store.h"

struct executor_link {
	const struct connection *conn;
	int32_t fd; /* -1: not known */
};

struct executor {
	/* NULL never; its key's pid is 0 when no process was found: only the ids are filled then */
	const struct process *process;
	const struct checkpoint *checkpoint; /* NULL: none */
	const struct executor_link *links;   /* ESTABLISHED, towards the agent port */
	size_t n_links;
	enum ew_tri backed; /* its run on disk leads to this process; NO: to another */
	int score;	    /* evidence that it is the executor of its run */
};

#endif
