/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/api_question.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/error.h"
#include "observe/agent/api.h"

struct api_question {
	struct event_base *base;
	struct api *api;
};

void api_ask_drop(struct api_question *question)
{
	if (!question)
		return;
	api_free(question->api);
	if (question->base)
		event_base_free(question->base);
	free(question);
}

int api_ask_begin(const struct api_options *options, uint32_t answer_nr,
		  const struct fact_sink *sink, struct api_question **ret, struct error *error)
{
	struct api_question *question = calloc(1, sizeof(*question));
	int err;

	if (question)
		question->base = event_base_new();
	if (!question || !question->base) {
		free(question);
		return error_set(error, -ENOMEM, NULL, "ask %s", options->url);
	}
	err = api_new(question->base, options, &question->api, error);
	if (!err)
		err = api_ask(question->api, answer_nr, sink);
	if (err) {
		api_ask_drop(question);
		return err;
	}
	event_base_loop(question->base, EVLOOP_NONBLOCK); /* connected by now, if it is near */
	*ret = question;
	return 0;
}

void api_ask_end(struct api_question *question)
{
	event_base_dispatch(question->base); /* until nothing is left to wait for */
	api_ask_drop(question);
}
