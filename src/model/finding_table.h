/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one table of findings: the id and the effect of each. A new finding is one name here, one row
 * in the table and one entry in docs/findings.md.
 */
#ifndef EW_MODEL_FINDING_TABLE_H
#define EW_MODEL_FINDING_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/report.h"

enum finding {
	FINDING_IMPOSTOR_AGENT,
	FINDING_MASTER_TIMEOUT,
	FINDING_V1_BACKOFF,
	FINDING_CONNTRACK_FULL,
	FINDING_DISK_FULL,
	FINDING_CHECKPOINT_OWNER,
	FINDING_OTHER_BOOT,
	FINDING_NO_LATEST,
	FINDING_DUPLICATE_PID,
	FINDING_LIBRARY_REPLACED,
	FINDING_UNIT_NOT_RELOADED,
	FINDING_LOGGER_SAME_FATE,
	FINDING_STOP_UNBOUNDED,
	FINDING_RESTART_DELAY,
	FINDING_STOP_SENDS_SIGUSR1,
	FINDING_STOP_ENDS_SLICE,
	FINDING_EXECUTOR_OUTSIDE_SLICE,
	FINDING_MAIN_PID_IS_A_WRAPPER,
	FINDING_START_CANNOT_RUN,
	FINDING_PRE_STEP_UNTRIED,
	FINDING_LISTENER_INHERITED,
	FINDING_ADDRESS_GONE,
	FINDING_MASTER_UNREACHABLE,
	FINDING_MASTER_LACKS_AGENT,
	FINDING_REREGISTER_LATE,
	FINDING_VERSION_MIX,
	FINDING_DOCKER_UNREACHABLE,
	FINDING_CONTAINER_GONE,
	FINDING_CONTAINER_ORPHANED,
	FINDING_DOCKER_RESTART,
	FINDING_RECOVERY_FAILED,
	FINDING_COUNT,
};

/* NULL from FINDING_COUNT on. */
const char *finding_id(enum finding finding);
/* What it does to a restart of the agent: whole sentences. */
const char *finding_effect(enum finding finding);
bool finding_parse(const char *id, enum finding *finding);

/* Is the id one of those in a list with commas? NULL is an empty list. */
bool finding_is_in(const char *list, const char *id);

#endif
