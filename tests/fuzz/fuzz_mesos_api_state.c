/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An answer of whatever listens on the agent's port, read as each of those that are asked for. */
#include "mesos_fuzz.h"

#include <errno.h>

#include "base/error.h"
#include "mesos/api_state.h"

/* In two pieces, cut anywhere. */
static struct api_state *read_cut(enum mesos_endpoint endpoint, struct mesos_span body, size_t cut)
{
	struct api_state *answer = api_state_new(endpoint);

	must(answer != NULL);
	api_state_feed(answer, mesos_span_at(body.p, cut));
	api_state_feed(answer, mesos_span_at(body.p + cut, body.len - cut));
	return answer;
}

static void state(struct mesos_span body, size_t cut)
{
	struct api_state *answer = read_cut(MESOS_STATE, body, cut);
	const struct mesos_state *state = NULL;
	struct error error = { 0 };
	int err = api_state_end(answer, &state, &error);

	must((err == 0) == (state != NULL) && err == error.code);
	if (state) {
		must(state->id && state->version && state->flags.work_dir);
		for (const struct mesos_framework *f = state->frameworks; f; f = f->next) {
			must(*f->id);
			for (const struct mesos_executor *e = f->executors; e; e = e->next) {
				must(*e->id && e->container && !e->tasks == !e->n_tasks);
				must(!e->ended || *e->ended->id);
			}
		}
	}
	api_state_free(answer);
}

static void flags(struct mesos_span body, size_t cut)
{
	struct api_state *answer = read_cut(MESOS_FLAGS, body, cut);
	const struct mesos_state *state;

	if (api_state_end(answer, &state, NULL) == 0)
		must(state->flags.work_dir && state->flags.recovery_timeout_ns >= 0);
	api_state_free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesos_span body = mesos_span_at(data, size);
	size_t cut = size ? data[size - 1] % size : 0;

	state(body, cut);
	flags(body, cut);
	api_status_check(200, body, NULL);
	return 0;
}
