/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "fail.h"
#include "mesos/answer.h"
#include "mesos/state.h"

#define WHAT "the agent's /containers"

static int container_read(const json_t *json, struct mesos_container *container, struct fail *why)
{
	int64_t pid = mesos_answer_integer(json_object_get(json, "status"), "executor_pid", 0);

	if (mesos_answer_text(json, "container_id", &container->container_id) < 0 ||
	    mesos_answer_text(json, "framework_id", &container->framework_id) < 0 ||
	    mesos_answer_text(json, "executor_id", &container->executor_id) < 0)
		return mesos_answer_memory(WHAT, why);
	if (!*container->container_id)
		return mesos_answer_lacks(WHAT, "[].container_id", why);
	container->executor_pid = pid > 0 && pid <= INT32_MAX ? (int32_t)pid : 0;
	return 0;
}

static int containers_read(const json_t *root, struct mesos_containers *containers,
			   struct fail *why)
{
	size_t n = json_array_size(root);
	void *items;
	int err = 0;

	if (!json_is_array(root))
		return fail_set(why, -EBADMSG, NULL, WHAT " is no array");
	if (mesos_answer_alloc(n, sizeof(*containers->items), &items) < 0)
		return mesos_answer_memory(WHAT, why);
	containers->items = items;
	containers->n = n;
	for (size_t i = 0; i < n && err == 0; i++)
		err = container_read(json_array_get(root, i), &containers->items[i], why);
	return err;
}

void mesos_containers_free(struct mesos_containers *containers)
{
	if (!containers)
		return;
	for (size_t i = 0; i < containers->n; i++) {
		free(containers->items[i].container_id);
		free(containers->items[i].framework_id);
		free(containers->items[i].executor_id);
	}
	free(containers->items);
	free(containers);
}

int mesos_containers_parse(struct mesos_span body, struct mesos_containers **ret_containers,
			   struct fail *why)
{
	struct mesos_containers *containers = NULL;
	json_t *root;
	int err = mesos_answer_load(body, WHAT, &root, why);

	if (err < 0)
		return err;
	containers = calloc(1, sizeof(*containers));
	err = containers ? containers_read(root, containers, why) : mesos_answer_memory(WHAT, why);
	if (err == 0) {
		*ret_containers = containers;
		containers = NULL;
	}
	mesos_containers_free(containers);
	json_decref(root);
	return err;
}
