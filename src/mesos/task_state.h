/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* States of a task, and the reasons given for them: mesos.proto, the same numbers in all versions.
 */
#ifndef EW_MESOS_TASK_STATE_H
#define EW_MESOS_TASK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mesos/span.h"

/* TaskState by number: "TASK_FINISHED"; NULL: no such state is known. */
const char *mesos_task_state(uint64_t number);

/* The same text for a state that is given as text; NULL: no such state is known. */
const char *mesos_task_state_of(struct mesos_span text);

/*
 * No other state follows: FINISHED, FAILED, KILLED, LOST, ERROR, DROPPED, GONE, GONE_BY_OPERATOR.
 * (TASK_LOST of a task whose agent comes back is followed by others; an agent never writes that
 * into its own checkpoints.)
 */
bool mesos_task_state_is_final(const char *state);

/* TaskStatus.Reason by number, for those that tell how an executor ended; "" for others. */
const char *mesos_task_reason(uint64_t number);

#endif
