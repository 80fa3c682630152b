/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/jsonval.h"
#include "base/now.h"
#include "base/walltime.h"
#include "record/baseline_document.h"
#include "record/schema.h"

/* The executor that is being read. */
struct reading {
	const json_t *object;
	char *bytes;	    /* decoded texts; owned */
	char *free;	    /* the unused part of bytes */
	const char **tasks; /* owned */
	const char *bad;    /* the first field of a wrong type */
};

static const char *text_get(struct reading *in, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = in->free;

	if (!value || json_is_null(value))
		return "";
	if (!json_is_string(value)) {
		in->bad = in->bad ? in->bad : name;
		return "";
	}
	in->free += jsonval_bytes(json_string_value(value), in->free) + 1;
	return text;
}

static uint64_t number_get(struct reading *in, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	uint64_t number = 0;

	if (value && !json_is_null(value) && jsonval_get_u64(value, &number) < 0)
		in->bad = in->bad ? in->bad : name;
	return number;
}

static int32_t pid_get(struct reading *in, const json_t *object)
{
	uint64_t pid = number_get(in, object, "pid");

	if (pid > INT32_MAX) {
		in->bad = in->bad ? in->bad : "pid";
		return 0;
	}
	return (int32_t)pid;
}

static int64_t wall_get(struct reading *in, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);
	int64_t wall = 0;

	if (value && !json_is_null(value) && (!text || walltime_parse(text, &wall) < 0))
		in->bad = in->bad ? in->bad : name;
	return wall;
}

static int64_t seconds_get(struct reading *in, const char *name)
{
	const json_t *value = json_object_get(in->object, name);
	double seconds = json_number_value(value);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_number(value) || !(seconds >= 0 && seconds < 9e9)) {
		in->bad = in->bad ? in->bad : name;
		return 0;
	}
	return (int64_t)(seconds * (double)NS_PER_S + 0.5);
}

static size_t tasks_get(struct reading *in)
{
	const json_t *tasks = json_object_get(in->object, "tasks");
	size_t n = json_array_size(tasks);

	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(tasks, i));

		if (!text) {
			in->bad = in->bad ? in->bad : "tasks";
			return 0;
		}
		in->tasks[i] = in->free;
		in->free += jsonval_bytes(text, in->free) + 1;
	}
	return n;
}

/* An upper bound of the bytes that an executor's texts need: decoding never lengthens a text. */
static size_t texts_size(const json_t *object, const json_t *agent)
{
	const json_t *tasks = json_object_get(object, "tasks");
	size_t size = json_string_length(json_object_get(agent, "slave_id")) + 2;
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach((json_t *)object, key, value) size += json_string_length(value) + 1;
	json_array_foreach(tasks, i, value) size += json_string_length(value) + 1;
	return size;
}

static void executor_get(struct reading *in, const json_t *document, struct fact_baseline *b)
{
	const json_t *agent = json_object_get(document, "agent");
	const json_t *links = json_object_get(in->object, "links");

	b->framework_id = text_get(in, in->object, "framework_id");
	b->executor_id = text_get(in, in->object, "executor_id");
	b->container_id = text_get(in, in->object, "container_id");
	b->protocol = text_get(in, in->object, "protocol");
	b->verdict = text_get(in, in->object, "verdict");
	b->pid = pid_get(in, in->object);
	b->start = number_get(in, in->object, "start_time");
	b->recovery_timeout = seconds_get(in, "recovery_timeout_s");
	b->agent_pid = pid_get(in, agent);
	b->agent_start = number_get(in, agent, "start_time");
	b->slave_id = text_get(in, agent, "slave_id");
	b->link = number_get(in, json_array_get(links, 0), "cookie");
	b->taken_wall = wall_get(in, document, "generated_at");
	b->disconnected_wall = wall_get(in, in->object, "disconnected_at");
	b->n_tasks = tasks_get(in);
	b->tasks = in->tasks;
	if (!in->bad && !*b->executor_id)
		in->bad = "executor_id";
}

/* Foreign executors belong to another agent and are not compared. */
static bool is_foreign(const struct fact_baseline *baseline)
{
	return strcmp(baseline->verdict, "foreign") == 0;
}

/* Reads executor i; with a sink, emits it. */
static int executor_load(const json_t *document, size_t i, int64_t mono,
			 const struct fact_sink *sink, size_t *n, const char *path,
			 struct error *error)
{
	struct fact fact = { .type = FACT_BASELINE, .mono = mono };
	struct reading in = { 0 };
	int err = -ENOMEM;

	in.object = json_array_get(json_object_get(document, "executors"), i);
	in.bytes = malloc(texts_size(in.object, json_object_get(document, "agent")));
	in.free = in.bytes;
	in.tasks =
		calloc(json_array_size(json_object_get(in.object, "tasks")) + 1, sizeof(*in.tasks));
	if (!in.bytes || !in.tasks) {
		error_set(error, err, NULL, "read baseline '%s'", path);
		goto out;
	}
	executor_get(&in, document, &fact.baseline);
	err = in.bad ? -EINVAL : 0;
	if (err) {
		error_set(error, err, "make a new one with 'execwatch audit'",
			  "read baseline '%s': field '%s' of executor %zu", path, in.bad, i + 1);
	} else if (sink && !is_foreign(&fact.baseline)) {
		fact_emit(sink, &fact);
		(*n)++;
	}
out:
	free(in.tasks);
	free(in.bytes);
	return err;
}

/* A finding that is not as this version writes them is passed over: it only says what was foreseen.
 */
static void finding_load(const json_t *finding, int64_t mono, const struct fact_sink *sink)
{
	const char *severity = json_string_value(json_object_get(finding, "severity"));
	struct fact fact = { .type = FACT_FORESEEN, .mono = mono };
	struct reading in = { .object = finding };

	in.bytes = malloc(texts_size(finding, NULL));
	in.free = in.bytes;
	if (in.bytes && severity && strcmp(severity, "ok") != 0) {
		fact.foreseen.id = text_get(&in, finding, "id");
		fact.foreseen.severity = text_get(&in, finding, "severity");
		fact.foreseen.evidence = text_get(&in, finding, "evidence");
		if (!in.bad)
			fact_emit(sink, &fact);
	}
	free(in.bytes);
}

static int boot_check(const json_t *document, const char *boot_id, const char *path,
		      struct error *error)
{
	const char *boot = json_string_value(json_object_get(document, "boot_id"));

	if (!boot_id || (boot && strcmp(boot, boot_id) == 0))
		return 0;
	return error_set(error, -ESTALE, "make a new one with 'execwatch audit'",
			 "read baseline '%s': it is of another boot or host", path);
}

int baseline_load(const struct baseline_dir *dir, const char *name, const char *boot_id,
		  int64_t mono, const struct fact_sink *sink, size_t *n, struct error *error)
{
	json_t *document = NULL;
	char path[PATH_MAX];
	size_t count, put = 0;
	int err = baseline_document_load(dir, name, &document, error);

	if (err < 0)
		return err;
	baseline_shown(dir, name, path);
	count = json_array_size(json_object_get(document, "executors"));
	err = boot_check(document, boot_id, path, error);
	for (size_t i = 0; !err && i < count; i++)
		err = executor_load(document, i, mono, NULL, &put, path, error);
	for (size_t i = 0; !err && i < count; i++)
		err = executor_load(document, i, mono, sink, &put, path, error);
	for (size_t i = 0; !err && i < json_array_size(json_object_get(document, "findings")); i++)
		finding_load(json_array_get(json_object_get(document, "findings"), i), mono, sink);
	if (!err)
		*n = put;
	json_decref(document);
	return err;
}
