/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An executor with its process, checkpointed run and links. Found by executors.h. */
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
	/* never NULL; when no process was found its key's pid is 0 and only the ids are filled */
	const struct process *process;
	const struct checkpoint *checkpoint; /* NULL: none */
	const struct executor_link *links;   /* ESTABLISHED, towards the agent port */
	size_t n_links;
	enum ew_tri backed; /* YES: the checkpointed run names this process; NO: another one */
	int score;	    /* evidence that it is the executor of its run */
};

#endif
