/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "fail.h"
#include "mesos/answer.h"
#include "mesos/state.h"

#define WHAT "the agent's /metrics/snapshot"

static double seconds(const json_t *root, const char *key)
{
	const json_t *member = json_object_get(root, key);

	return json_is_number(member) ? json_number_value(member) : -1;
}

int mesos_metrics_parse(struct mesos_span body, struct mesos_metrics *metrics, struct fail *why)
{
	json_t *root;
	int err = mesos_answer_load(body, WHAT, &root, why);

	if (err < 0)
		return err;
	if (json_is_object(root))
		*metrics = (struct mesos_metrics){
			.executors_registering =
				mesos_answer_integer(root, "slave/executors_registering", -1),
			.executors_running =
				mesos_answer_integer(root, "slave/executors_running", -1),
			.executors_terminating =
				mesos_answer_integer(root, "slave/executors_terminating", -1),
			.executors_terminated =
				mesos_answer_integer(root, "slave/executors_terminated", -1),
			.recovery_errors = mesos_answer_integer(root, "slave/recovery_errors", -1),
			.registered = mesos_answer_integer(root, "slave/registered", -1),
			.tasks_running = mesos_answer_integer(root, "slave/tasks_running", -1),
			.uptime_secs = seconds(root, "slave/uptime_secs"),
			.recovery_time_secs = seconds(root, "slave/recovery_time_secs"),
		};
	else
		err = fail_set(why, -EBADMSG, NULL, WHAT " is no object");
	json_decref(root);
	return err;
}
