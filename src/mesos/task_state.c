/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/task_state.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	bool final;
} states[] = {
	{ "TASK_STARTING", false },	   { "TASK_RUNNING", false },	  { "TASK_FINISHED", true },
	{ "TASK_FAILED", true },	   { "TASK_KILLED", true },	  { "TASK_LOST", true },
	{ "TASK_STAGING", false },	   { "TASK_ERROR", true },	  { "TASK_KILLING", false },
	{ "TASK_DROPPED", true },	   { "TASK_UNREACHABLE", false }, { "TASK_GONE", true },
	{ "TASK_GONE_BY_OPERATOR", true }, { "TASK_UNKNOWN", false },
};
#define N_STATES (sizeof(states) / sizeof(states[0]))

const char *mesos_task_state(uint64_t number)
{
	return number < N_STATES ? states[number].name : NULL;
}

const char *mesos_task_state_of(struct mesos_span text)
{
	for (size_t i = 0; i < N_STATES; i++)
		if (mesos_span_is(text, states[i].name))
			return states[i].name;
	return NULL;
}

bool mesos_task_state_is_final(const char *state)
{
	for (size_t i = 0; state && i < N_STATES; i++)
		if (strcmp(state, states[i].name) == 0)
			return states[i].final;
	return false;
}

const char *mesos_task_reason(uint64_t number)
{
	static const struct {
		uint64_t number;
		const char *name;
	} reasons[] = {
		{ 0, "REASON_COMMAND_EXECUTOR_FAILED" },
		{ 1, "REASON_EXECUTOR_TERMINATED" },
		{ 2, "REASON_EXECUTOR_UNREGISTERED" },
		{ 3, "REASON_FRAMEWORK_REMOVED" },
		{ 8, "REASON_CONTAINER_LIMITATION_MEMORY" },
		{ 11, "REASON_AGENT_REMOVED" },
		{ 12, "REASON_AGENT_RESTARTED" },
		{ 17, "REASON_CONTAINER_PREEMPTED" },
		{ 19, "REASON_CONTAINER_LIMITATION" },
		{ 20, "REASON_CONTAINER_LIMITATION_DISK" },
		{ 23, "REASON_EXECUTOR_REGISTRATION_TIMEOUT" },
		{ 24, "REASON_EXECUTOR_REREGISTRATION_TIMEOUT" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].number == number)
			return reasons[i].name;
	return "";
}
