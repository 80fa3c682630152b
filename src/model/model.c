/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/model.h"

#include <stdlib.h>

#include "model/model_private.h"

struct model {
	struct store store;
};

struct model *model_new(void)
{
	struct model *model = malloc(sizeof(*model));

	if (!model)
		return NULL;
	store_init(&model->store);
	if (!model->store.broken)
		return model;
	model_free(model);
	return NULL;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	store_clear(&model->store);
	free(model);
}

static void sink_emit(void *ctx, const struct fact *fact)
{
	struct model *model = ctx;

	store_apply(&model->store, fact);
}

struct fact_sink model_sink(struct model *model)
{
	return (struct fact_sink){ sink_emit, model };
}

const struct store *model_store(const struct model *model)
{
	return &model->store;
}

size_t model_failed_starts(const struct model *model, int32_t *pid, uint64_t *start)
{
	size_t n;
	const struct agent *agent = store_failed_start(model_store(model), &n);

	*pid = agent ? agent->facts.pid : 0;
	*start = agent ? agent->facts.start : 0;
	return n;
}
