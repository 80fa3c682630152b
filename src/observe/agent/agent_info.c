/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/agent_info.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"
#include "mesos/agent_items.h"
#include "observe/agent/checkpoint_file.h"

static const char *const *texts_of(struct arena *arena, const struct mesos_items *items)
{
	const char **texts = arena_array(arena, items->n + 1, sizeof(*texts));

	for (size_t i = 0; texts && i < items->n; i++)
		texts[i] = mesos_item_text(arena, &items->v[i]);
	return texts;
}

static void info_fill(struct arena *arena, const struct mesos_agent_info *info,
		      struct fact_agent_info *fact)
{
	fact->hostname = info->hostname;
	fact->port = info->port;
	fact->domain = info->domain;
	fact->attributes = texts_of(arena, &info->attributes);
	fact->n_attributes = fact->attributes ? info->attributes.n : 0;
	fact->resources = texts_of(arena, &info->resources);
	fact->n_resources = fact->resources ? info->resources.n : 0;
}

void agent_info_emit(int dir, const char *slave_id, char *buf, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_AGENT_INFO, .mono = now_mono() };
	struct arena *arena = arena_new();
	struct mesos_agent_info info;
	struct mesos_span file;
	struct error error = { 0 };
	int err = arena ? checkpoint_file_read(dir, "slave.info", buf, &file) : -ENOMEM;

	if (err)
		error_set(&error, err < 0 ? err : -EFBIG, NULL, "read it");
	else
		err = mesos_agent_info_parse(arena, file, &info, &error);
	fact.agent_info.slave_id = slave_id;
	fact.agent_info.problem = err ? strerror(-error.code) : "";
	if (!err)
		info_fill(arena, &info, &fact.agent_info);
	fact_emit(sink, &fact);
	arena_free(arena);
}
