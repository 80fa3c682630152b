/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What else happens to a victim during an injection. */
#ifndef EW_FAULT_STORM_H
#define EW_FAULT_STORM_H

#include <sys/types.h>

struct victim;

enum storm {
	STORM_NONE,
	STORM_SIGNALS,	/* handled signals to all threads, about 3,000 a second */
	STORM_STOPCONT, /* SIGSTOP and SIGCONT */
	STORM_TRACER,	/* another tracer attaches and detaches */
	STORM_DEATH,	/* SIGKILL within 2 ms */
};

/* Starts a process that makes this happen. Returns its pid, 0 for STORM_NONE. */
pid_t storm_start(enum storm storm, const struct victim *v, unsigned seed);

/* Ends that process; the victim is left running. */
void storm_stop(enum storm storm, pid_t pid, const struct victim *v);

#endif
