/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether an executor can answer the agent now, and whether what stops the agent stops it too: by
 * the state of its threads, its cgroup and its pid namespace.
 */
#ifndef EW_MODEL_JUDGE_CONDITION_H
#define EW_MODEL_JUDGE_CONDITION_H

#include "model/judge/executors.h"

struct arena;

/*
 * NO while it is stopped by a signal (state T) or at a tracer's stop (t), while its cgroup is
 * frozen, and once a thread of it has been in uninterruptible sleep (D) for 2 s, which is how long
 * the agent waits by default (Mesos slave/constants.hpp, EXECUTOR_REREGISTRATION_TIMEOUT). A tracer
 * that lets it run does not count.
 */
enum ew_tri condition_responsive(const struct process_facts *process);
/* Why that cannot be known, a sentence; NULL: all that decides could be read. */
const char *condition_responsive_unread(const struct store *store, const struct process *process);

/* Sentences: why the process is not responsive, and how to let it run again. */
const char *condition_unresponsive_why(const struct process_facts *process, struct arena *arena);
const char *condition_unresponsive_advice(const struct process_facts *process, struct arena *arena);

/*
 * YES when it is in the cgroup of the agent's own unit, or below, and stopping that unit kills all
 * that is in it (KillMode control-group or mixed, systemd.kill(5); control-group is the default, so
 * also where it is not known), or in a pid namespace that ends with the agent or its parent.
 */
enum ew_tri condition_same_fate(const struct store *store, const struct process *process);
/* Why that cannot be known, a sentence; NULL: all that decides could be read. */
const char *condition_same_fate_unread(const struct store *store, const struct process *process);

/* Sentences: why the process ends with the agent. */
const char *condition_same_fate_why(const struct store *store, const struct process *process,
				    struct arena *arena);
const char *condition_same_fate_advice(const struct store *store, const struct process *process,
				       struct arena *arena);

#endif
