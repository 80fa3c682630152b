/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/docker.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/jsonval.h"
#include "base/now.h"
#include "observe/agent/http_get.h"

enum { ASK_MS = 2000 };

static const char list[] = "/containers/json?all=1";

/* Names begin with a slash; a container that others link to has more than one. */
static const char *mesos_name(const json_t *container)
{
	const json_t *names = json_object_get(container, "Names"), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);

		if (text && strncmp(text, "/mesos-", 7) == 0 && !strchr(text + 1, '/'))
			return text + 1;
	}
	return NULL;
}

static void container_emit(const json_t *container, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_CONTAINER, .mono = now_mono() };

	fact.container.name = mesos_name(container);
	fact.container.state = json_string_value(json_object_get(container, "State"));
	if (fact.container.name)
		fact_emit(sink, &fact);
}

/* 0 with the list, or a negative errno. */
static int ask(const char *socket, json_t **ret_list, struct error *error)
{
	struct http_answer answer = { 0 };
	int fd = http_unix_socket(socket), err;

	if (fd < 0)
		return error_set(error, fd, NULL, "connect to '%s'", socket);
	err = http_get(fd, "docker", list, ASK_MS, &answer, error);
	if (err < 0)
		return err;
	*ret_list = answer.status == 200 ? jsonval_load(answer.body, answer.len, 0, NULL) : NULL;
	free(answer.body);
	if (json_is_array(*ret_list))
		return 0;
	json_decref(*ret_list);
	return error_set(error, -EPROTO, NULL, "read the answer %d of '%s'", answer.status, socket);
}

void docker_emit(const char *name, const char *socket, enum ew_tri kill_orphans,
		 const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_DOCKER };
	json_t *containers = NULL, *container;
	struct error error = { 0 };
	char problem[512] = "";
	size_t i;
	int err = ask(socket, &containers, &error);

	if (!err) {
		json_array_foreach(containers, i, container)
		{
			container_emit(container, sink);
		}
		json_decref(containers);
	} else {
		error_text(&error, problem, sizeof(problem));
	}
	fact.mono = now_mono();
	fact.docker.socket = name;
	fact.docker.answers = err ? EW_NO : EW_YES;
	fact.docker.problem = problem;
	fact.docker.kill_orphans = kill_orphans;
	fact_emit(sink, &fact);
}
