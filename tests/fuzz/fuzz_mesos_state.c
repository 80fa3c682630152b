/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An answer of whatever listens on the agent's port, read as each of those that are asked for. */
#include "mesos_fuzz.h"

#include <errno.h>

#include "fail.h"
#include "mesos/state.h"

static void state(struct mesos_span body)
{
	struct mesos_state *state = NULL;
	struct fail why = {0};
	int err = mesos_state_parse(body, &state, &why);

	must((err == 0) == (state != NULL) && err == why.err);
	if (err < 0)
		return;
	must(state->id && state->pid && state->version && state->flags.work_dir);
	for (size_t i = 0; i < state->n_frameworks; i++)
		must(*state->frameworks[i].id && state->frameworks[i].name);
	mesos_state_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesos_span body = mesos_span_at(data, size);
	struct mesos_flags *flags = NULL;

	state(body);
	if (mesos_flags_parse(body, &flags, NULL) == 0)
		must(flags->work_dir && flags->recovery_timeout_ns >= 0);
	mesos_api_check(200, body, NULL);
	mesos_flags_free(flags);
	return 0;
}
