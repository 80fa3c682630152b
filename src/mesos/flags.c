/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/answer.h"
#include "mesos/duration.h"
#include "mesos/state.h"

#define WHAT "the agent's /flags"

/* All flags are strings, as they would be given on the command line. */
static struct mesos_span flag(const json_t *object, const char *name)
{
	return mesos_span_of(json_string_value(json_object_get(object, name)));
}

static int64_t duration_flag(const json_t *object, const char *name)
{
	int64_t ns;

	return mesos_duration_parse(flag(object, name), &ns) == 0 ? ns : 0;
}

static uint16_t port_flag(const json_t *object, const char *name)
{
	struct mesos_span text = flag(object, name);
	uint64_t port;

	return mesos_span_number(&text, UINT16_MAX, &port) && !text.len ? (uint16_t)port : 0;
}

int mesos_flags_read(const json_t *object, struct mesos_flags *flags)
{
	if (mesos_answer_text(object, "work_dir", &flags->work_dir) < 0 ||
	    mesos_answer_text(object, "runtime_dir", &flags->runtime_dir) < 0 ||
	    mesos_answer_text(object, "launcher", &flags->launcher) < 0)
		return -ENOMEM;
	flags->recovery_timeout_ns = duration_flag(object, "recovery_timeout");
	flags->reregistration_timeout_ns = duration_flag(object, "executor_reregistration_timeout");
	flags->reregistration_retry_ns =
		duration_flag(object, "executor_reregistration_retry_interval");
	flags->port = port_flag(object, "port");
	flags->http_command_executor = mesos_span_is(flag(object, "http_command_executor"), "true");
	flags->domain_sockets = mesos_span_is(flag(object, "http_executor_domain_sockets"), "true");
	return 0;
}

void mesos_flags_clear(struct mesos_flags *flags)
{
	free(flags->work_dir);
	free(flags->runtime_dir);
	free(flags->launcher);
}

void mesos_flags_free(struct mesos_flags *flags)
{
	if (flags)
		mesos_flags_clear(flags);
	free(flags);
}

int mesos_flags_parse(struct mesos_span body, struct mesos_flags **ret_flags, struct fail *why)
{
	struct mesos_flags *flags = NULL;
	const json_t *object;
	json_t *root;
	int err = mesos_answer_load(body, WHAT, &root, why);

	if (err < 0)
		return err;
	object = json_object_get(root, "flags");
	if (!json_is_object(object)) {
		err = mesos_answer_lacks(WHAT, "flags", why);
		goto out;
	}
	flags = calloc(1, sizeof(*flags));
	if (!flags || mesos_flags_read(object, flags) < 0) {
		err = mesos_answer_memory(WHAT, why);
		goto out;
	}
	*ret_flags = flags;
	flags = NULL;
out:
	mesos_flags_free(flags);
	json_decref(root);
	return err;
}
