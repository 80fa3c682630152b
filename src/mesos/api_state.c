/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/api_state.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/arena.h"
#include "base/error.h"
#include "mesos/duration.h"
#include "mesos/task_state.h"

/* Nesting of real answers is below 20; deeper is somebody's game. */
#define DEPTH_MAX 64

/* Where in an answer we are: in objects and lists that something is asked of, or in others. */
enum place {
	ELSEWHERE,
	TOP,
	FLAGS,
	FRAMEWORKS,
	FRAMEWORK,
	EXECUTORS,
	EXECUTOR,
	TASKS,
	TASK,
	STATUSES,
	STATUS
};

/* A member that is asked for, of the objects at a place. */
struct member {
	enum place of;
	const char *key;
	enum { TEXT, DURATION, NUMBER, OBJECT, LIST } type;
	size_t at;	  /* TEXT, DURATION, NUMBER: where it goes */
	enum place opens; /* OBJECT, LIST */
	bool completed;	  /* LIST: of what is over */
};

struct api_state {
	enum mesos_endpoint endpoint;
	yajl_handle parser;
	struct arena *arena;
	struct mesos_state state;
	bool has_frameworks, has_flags;
	enum place places[DEPTH_MAX]; /* from the outermost to the present */
	size_t depth;
	const struct member
		*member; /* the value that comes is this one's; NULL: nobody asks for it */
	const struct mesos_flag *flag; /* and this one's */
	/* The present ones, and where the next ones go. */
	struct mesos_framework *framework, **framework_next;
	struct mesos_executor *executor, **executor_next;
	struct mesos_task *task, **task_next, **ended_next;
	bool frameworks_completed, executors_completed;
	uint64_t fed;	    /* bytes before the present piece */
	struct error error; /* what is wrong with it; err is 0 for nothing */
};

#define AT(type, name) offsetof(struct type, name)

static const struct member members[] = {
	{ .of = TOP, "id", TEXT, .at = AT(mesos_state, id) },
	{ .of = TOP, "version", TEXT, .at = AT(mesos_state, version) },
	{ .of = TOP, "pid", TEXT, .at = AT(mesos_state, pid) },
	{ .of = TOP, "start_time", NUMBER, .at = AT(mesos_state, start_time) },
	{ .of = TOP, "flags", OBJECT, .opens = FLAGS },
	{ .of = TOP, "frameworks", LIST, .opens = FRAMEWORKS },
	{ .of = TOP, "completed_frameworks", LIST, .opens = FRAMEWORKS, .completed = true },
	{ .of = FLAGS, "work_dir", TEXT, .at = AT(mesos_flags, work_dir) },
	{ .of = FLAGS, "acls", TEXT, .at = AT(mesos_flags, acls) },
	{ .of = FLAGS, "authorizers", TEXT, .at = AT(mesos_flags, authorizers) },
	{ .of = FLAGS, "strict", TEXT, .at = AT(mesos_flags, strict) },
	{ .of = FLAGS, "recovery_timeout", DURATION, .at = AT(mesos_flags, recovery_timeout_ns) },
	{ .of = FLAGS,
	  "executor_reregistration_timeout",
	  DURATION,
	  .at = AT(mesos_flags, reregistration_timeout_ns) },
	{ .of = FRAMEWORK, "id", TEXT, .at = AT(mesos_framework, id) },
	{ .of = FRAMEWORK, "executors", LIST, .opens = EXECUTORS },
	{ .of = FRAMEWORK, "completed_executors", LIST, .opens = EXECUTORS, .completed = true },
	{ .of = EXECUTOR, "id", TEXT, .at = AT(mesos_executor, id) },
	{ .of = EXECUTOR, "container", TEXT, .at = AT(mesos_executor, container) },
	{ .of = EXECUTOR, "tasks", LIST, .opens = TASKS },
	{ .of = EXECUTOR, "completed_tasks", LIST, .opens = TASKS, .completed = true },
	{ .of = TASK, "id", TEXT, .at = AT(mesos_task, id) },
	{ .of = TASK, "name", TEXT, .at = AT(mesos_task, name) },
	{ .of = TASK, "state", TEXT, .at = AT(mesos_task, state) },
	{ .of = TASK, "statuses", LIST, .opens = STATUSES },
	{ .of = STATUS, "timestamp", NUMBER, .at = AT(mesos_task, timestamp) },
};

static const char *what(const struct api_state *answer)
{
	return answer->endpoint == MESOS_FLAGS ? "the agent's /flags" : "the agent's /state";
}

/* All that is called back returns 1 to go on, 0 to stop. */

static int memory(struct api_state *answer)
{
	error_set(&answer->error, -ENOMEM, NULL, "read %s", what(answer));
	return 0;
}

static int lacks(struct api_state *answer, const char *member)
{
	error_set(&answer->error, -EBADMSG, NULL, "%s lacks '%s'", what(answer), member);
	return 0;
}

static enum place here(const struct api_state *answer)
{
	return answer->depth ? answer->places[answer->depth - 1] : ELSEWHERE;
}

/* The object that members of the present place belong to. */
static void *object(struct api_state *answer)
{
	switch (here(answer)) {
	case TOP:
		return &answer->state;
	case FLAGS:
		return &answer->state.flags;
	case FRAMEWORK:
		return answer->framework;
	case EXECUTOR:
		return answer->executor;
	case TASK:
	case STATUS: /* of a task's statuses the last one counts */
		return answer->task;
	default:
		return NULL;
	}
}

/* Something begins or is there. What is no object is no item of a list of them. */
static int is_no_object(struct api_state *answer)
{
	answer->member = NULL;
	answer->flag = NULL;
	switch (here(answer)) {
	case FRAMEWORKS:
		return lacks(answer, "frameworks[].id");
	case EXECUTORS:
		return lacks(answer, "frameworks[].executors[].id");
	case TASKS:
		return lacks(answer, "frameworks[].executors[].tasks[].id");
	default:
		return 1;
	}
}

static int enter(struct api_state *answer, enum place place)
{
	answer->member = NULL;
	if (answer->depth == DEPTH_MAX) {
		error_set(&answer->error, -EBADMSG, NULL, "%s is nested deeper than %d",
			  what(answer), DEPTH_MAX);
		return 0;
	}
	answer->places[answer->depth++] = place;
	return 1;
}

static int on_null(void *ctx)
{
	return is_no_object(ctx);
}

static int on_boolean(void *ctx, int value)
{
	(void)value;
	return is_no_object(ctx);
}

static int on_number(void *ctx, const char *digits, size_t len)
{
	struct api_state *answer = ctx;
	const struct member *member = answer->member;
	char text[64];

	if (member && member->type == NUMBER) {
		mesos_span_copy(mesos_span_at(digits, len), text, sizeof(text));
		*(double *)((char *)object(answer) + member->at) = strtod(text, NULL);
	}
	return is_no_object(answer);
}

static int on_string(void *ctx, const unsigned char *bytes, size_t len)
{
	struct api_state *answer = ctx;
	const struct member *member = answer->member;
	struct mesos_span text = mesos_span_at(bytes, len);
	void *at = member ? (char *)object(answer) + member->at : NULL;

	if (answer->flag)
		answer->state.flags.watched[answer->flag - mesos_flag_table] =
			arena_span(answer->arena, text.p, text.len);
	if (member && member->type == TEXT) {
		*(const char **)at = arena_span(answer->arena, text.p, text.len);
		if (arena_broken(answer->arena))
			return memory(answer);
	} else if (member && member->type == DURATION) {
		mesos_duration_parse(text, at);
	}
	return is_no_object(answer);
}

static int framework_begin(struct api_state *answer)
{
	struct mesos_framework *framework = arena_array(answer->arena, 1, sizeof(*framework));

	if (!framework)
		return memory(answer);
	*framework =
		(struct mesos_framework){ .id = "", .completed = answer->frameworks_completed };
	*answer->framework_next = answer->framework = framework;
	answer->framework_next = &framework->next;
	answer->executor_next = &framework->executors;
	return enter(answer, FRAMEWORK);
}

static int executor_begin(struct api_state *answer)
{
	struct mesos_executor *executor = arena_array(answer->arena, 1, sizeof(*executor));

	if (!executor)
		return memory(answer);
	*executor = (struct mesos_executor){ .id = "",
					     .container = "",
					     .completed = answer->executors_completed };
	*answer->executor_next = answer->executor = executor;
	answer->executor_next = &executor->next;
	answer->task_next = &executor->tasks;
	answer->ended_next = &executor->ended;
	return enter(answer, EXECUTOR);
}

static int task_begin(struct api_state *answer)
{
	struct mesos_task *task = arena_array(answer->arena, 1, sizeof(*task));

	if (!task)
		return memory(answer);
	*task = (struct mesos_task){ .id = "", .name = "", .state = "" };
	answer->task = task;
	return enter(answer, TASK);
}

/*
 * A task that is over stays among the executor's tasks until its framework has acknowledged that
 * (Mesos slave.cpp, terminatedTasks; its state tells), then it is completed.
 */
static void task_end(struct api_state *answer)
{
	struct mesos_task *task = answer->task;

	if (mesos_task_state_is_final(task->state)) {
		*answer->ended_next = task;
		answer->ended_next = &task->next;
	} else {
		*answer->task_next = task;
		answer->task_next = &task->next;
		answer->executor->n_tasks++;
	}
}

static int on_object(void *ctx)
{
	struct api_state *answer = ctx;
	const struct member *member = answer->member;

	if (!answer->depth)
		return enter(answer, TOP);
	switch (here(answer)) {
	case FRAMEWORKS:
		return framework_begin(answer);
	case EXECUTORS:
		return executor_begin(answer);
	case TASKS:
		return task_begin(answer);
	case STATUSES:
		return enter(answer, STATUS);
	default:
		answer->has_flags |= member && member->opens == FLAGS;
		return enter(answer, member && member->type == OBJECT ? member->opens : ELSEWHERE);
	}
}

static int on_list(void *ctx)
{
	struct api_state *answer = ctx;
	const struct member *member = answer->member;

	if (!is_no_object(answer))
		return 0;
	if (!member || member->type != LIST)
		return enter(answer, ELSEWHERE);
	if (member->opens == FRAMEWORKS) {
		answer->frameworks_completed = member->completed;
		answer->has_frameworks |= !member->completed;
	} else if (member->opens == EXECUTORS) {
		answer->executors_completed = member->completed;
	}
	return enter(answer, member->opens);
}

static int on_key(void *ctx, const unsigned char *bytes, size_t len)
{
	struct api_state *answer = ctx;
	struct mesos_span key = mesos_span_at(bytes, len);
	enum place place = here(answer);

	answer->member = NULL;
	for (size_t i = 0; place && i < sizeof(members) / sizeof(*members); i++)
		if (members[i].of == place && mesos_span_is(key, members[i].key))
			answer->member = &members[i];
	answer->flag = place == FLAGS ? mesos_flag_find(key) : NULL;
	return 1;
}

/* What cannot be named is of no use, and no answer of an agent. */
static int on_end(void *ctx)
{
	struct api_state *answer = ctx;
	enum place left = here(answer);

	answer->depth--;
	answer->member = NULL;
	answer->flag = NULL;
	if (left == FRAMEWORK && !*answer->framework->id)
		return lacks(answer, "frameworks[].id");
	if (left == EXECUTOR && !*answer->executor->id)
		return lacks(answer, "frameworks[].executors[].id");
	if (left == TASK && !*answer->task->id)
		return lacks(answer, "frameworks[].executors[].tasks[].id");
	if (left == TASK)
		task_end(answer);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_list,
	.yajl_end_array = on_end,
};

struct api_state *api_state_new(enum mesos_endpoint endpoint)
{
	struct api_state *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->endpoint = endpoint;
	answer->state =
		(struct mesos_state){ .id = endpoint == MESOS_STATE ? NULL : "",
				      .version = "",
				      .pid = "",
				      .flags = { .work_dir = "", .acls = "", .authorizers = "" } };
	answer->framework_next = &answer->state.frameworks;
	answer->arena = arena_new();
	answer->parser = yajl_alloc(&callbacks, NULL, answer);
	if (!answer->arena || !answer->parser) {
		api_state_free(answer);
		return NULL;
	}
	yajl_config(answer->parser, yajl_dont_validate_strings, 1);
	return answer;
}

void api_state_free(struct api_state *answer)
{
	if (!answer)
		return;
	if (answer->parser)
		yajl_free(answer->parser);
	arena_free(answer->arena);
	free(answer);
}

/* yajl ends its texts with a newline, and some with a full stop. */
static void no_json(struct api_state *answer, uint64_t at)
{
	unsigned char *text = yajl_get_error(answer->parser, 0, NULL, 0);
	size_t len = text ? strcspn((char *)text, ".\n") : 0;

	error_set(&answer->error, -EBADMSG, NULL, "%s is no JSON: byte %llu: %.*s", what(answer),
		  (unsigned long long)at, (int)len, text ? (char *)text : "");
	if (text)
		yajl_free_error(answer->parser, text);
}

void api_state_feed(struct api_state *answer, struct mesos_span piece)
{
	if (answer->error.code)
		return;
	if (yajl_parse(answer->parser, (const unsigned char *)piece.p, piece.len) ==
	    yajl_status_error)
		no_json(answer, answer->fed + yajl_get_bytes_consumed(answer->parser));
	answer->fed += piece.len;
}

/*
 * Each agent tells its id and when it started (Mesos slave/http.cpp, state(), 0.28 to 1.11). The id
 * is empty until it has registered for the first time, and there is no framework before that.
 */
static void check_identity(struct api_state *answer)
{
	const struct mesos_state *state = &answer->state;

	if (!state->id || (!*state->id && state->frameworks))
		lacks(answer, "id");
	else if (!(state->start_time > 0))
		lacks(answer, "start_time");
}

int api_state_end(struct api_state *answer, const struct mesos_state **ret_state,
		  struct error *error)
{
	if (!answer->error.code && yajl_complete_parse(answer->parser) == yajl_status_error)
		no_json(answer, answer->fed);
	if (!answer->error.code && answer->endpoint == MESOS_STATE && !answer->has_frameworks)
		lacks(answer, "frameworks");
	if (!answer->error.code && answer->endpoint == MESOS_STATE)
		check_identity(answer);
	if (!answer->error.code && answer->endpoint == MESOS_FLAGS && !answer->has_flags)
		lacks(answer, "flags");
	if (answer->error.code) {
		if (error)
			*error = answer->error;
		return answer->error.code;
	}
	*ret_state = &answer->state;
	return 0;
}
