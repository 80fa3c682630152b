/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One file of the checkpoint tree, read as each kind that it could be. */
#include "mesos_fuzz.h"

#include <errno.h>

#include "base/arena.h"
#include "base/error.h"
#include "mesos/agent_items.h"
#include "mesos/checkpoint.h"

static void must_explain(int err, const struct error *error)
{
	must(err == 0 || err == -ENODATA || err == -EBADMSG);
	must(err == error->code && (err == 0 || error->message[0]));
}

static void small_files(struct mesos_span file)
{
	struct error error = { 0 };
	struct mesos_upid upid;
	struct mesos_span id;
	int32_t pid;

	must_explain(mesos_checkpoint_pid(file, &pid, &error), &error);
	error = (struct error){ 0 };
	if (mesos_checkpoint_upid(file, &upid, &error) == 0)
		must_lie_in(upid.id, file.p, file.len);
	error = (struct error){ 0 };
	if (mesos_checkpoint_boot_id(file, &id, &error) == 0)
		must_lie_in(id, file.p, file.len);
}

static void task_info(struct mesos_span file)
{
	struct error error = { 0 };
	struct mesos_task_info task = { 0 };

	must_explain(mesos_checkpoint_task_info(file, &task, &error), &error);
	must_lie_in(task.task_id, file.p, file.len);
	must_lie_in(task.name, file.p, file.len);
}

static void updates(struct mesos_span file)
{
	struct mesos_span rest = file;
	struct mesos_update update;
	struct error error = { 0 };
	size_t left;
	int more;

	do {
		left = rest.len;
		more = mesos_checkpoint_update(&rest, &update, &error);
		if (more > 0) {
			must(rest.len < left);
			must_lie_in(update.task_id, file.p, file.len);
			must_lie_in(update.uuid, file.p, file.len);
		}
	} while (more > 0);
	must_explain(more, &error);
	must(more < 0 || rest.len == 0);
}

static void agent_info(struct mesos_span file)
{
	struct arena *arena = arena_new();
	struct error error = { 0 };
	struct mesos_agent_info info;

	must_explain(mesos_agent_info_parse(arena, file, &info, &error), &error);
	for (size_t i = 0; i < info.resources.n; i++)
		must(*mesos_item_text(arena, &info.resources.v[i]) != '\0');
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesos_span file = mesos_span_at(data, size);

	small_files(file);
	task_info(file);
	updates(file);
	agent_info(file);
	return 0;
}
