/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Short texts: log lines, versions, paths of libraries, durations, addresses, cut JSON. */
#include "mesos_fuzz.h"

#include <stdio.h>

#include "base/arena.h"
#include "mesos/agent_items.h"
#include "mesos/agent_name.h"
#include "mesos/duration.h"
#include "mesos/flag_table.h"
#include "mesos/glog.h"
#include "mesos/json.h"
#include "mesos/upid.h"
#include "mesos/version.h"

static void durations(struct mesos_span text)
{
	int64_t ns;

	if (mesos_duration_parse(text, &ns) == 0)
		must(ns >= 0);
}

static void logs(struct mesos_span text)
{
	struct mesos_glog log;

	if (mesos_glog_parse(text, &log) < 0)
		return;
	must_lie_in(log.file, text.p, text.len);
	must_lie_in(log.text, text.p, text.len);
}

static void versions(struct mesos_span text)
{
	struct mesos_version version;

	if (mesos_version_from_path(text, &version) == 0)
		must_lie_in(version.text, text.p, text.len);
	if (mesos_version_parse(text, &version) == 0)
		mesos_version_relinks(&version);
}

/* What was read is read again from its own text, and is the same. */
static void read_again(struct arena *arena, const struct mesos_items *items, int attributes)
{
	for (size_t i = 0; i < items->n && i < 16; i++) {
		const char *text = mesos_item_text(arena, &items->v[i]);
		struct mesos_items again;

		must(mesos_item_compare(&items->v[i], &items->v[i]) == MESOS_SAME);
		must(mesos_items_find(items, &items->v[i]) != NULL);
		if (attributes)
			mesos_attributes_parse(arena, text, &again);
		else
			mesos_resources_parse(arena, text, "*", &again);
	}
}

static void items(struct mesos_span text)
{
	struct arena *arena = arena_new();
	const char *flag = arena_span(arena, text.p, text.len);
	struct mesos_items found;

	if (mesos_attributes_parse(arena, flag, &found) == 0)
		read_again(arena, &found, 1);
	if (mesos_resources_parse(arena, flag, "*", &found) == 0)
		read_again(arena, &found, 0);
	mesos_domain_text(arena, flag);
	arena_free(arena);
}

static void flags(struct mesos_span text)
{
	char value[256], buf[64];

	mesos_span_copy(text, value, sizeof(value));
	mesos_flag_find(text);
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++)
		must(mesos_flag_canonical(&mesos_flag_table[i], value, buf, sizeof(buf)) != NULL);
}

/* Whatever stands before it in a path does not matter. */
static void names(struct mesos_span text)
{
	char name[256], path[300];

	mesos_span_copy(text, name, sizeof(name));
	snprintf(path, sizeof(path), "/opt/mesos-agent/%s", name);
	must(mesos_is_agent_name(name, NULL) || !mesos_is_agent_name(NULL, path) ||
	     strchr(name, '/') != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesos_span text = mesos_span_at(data, size);
	struct mesos_upid upid;

	durations(text);
	logs(text);
	versions(text);
	items(text);
	flags(text);
	names(text);
	if (mesos_upid_parse(text, &upid) == 0)
		must_lie_in(upid.id, data, size);
	must_lie_in(mesos_json_member(text, "type"), data, size);
	return 0;
}
