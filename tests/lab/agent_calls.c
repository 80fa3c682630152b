/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The operator calls of /api/v1 (src/slave/http.cpp, 1.12), as JSON. */
#include "agent.h"
#include "json.h"

#include <string.h>

/* {"value":"..."} */
static void put_value(struct buf *out, const char *value)
{
	buf_str(out, "{\"value\":");
	json_str(out, value);
	buf_str(out, "}");
}

static void put_executor_infos(struct agent *a, struct buf *out, bool done)
{
	for (const struct container *c = agent_visible(a); c; c = c->next) {
		if (agent_executor_done(c) != done)
			continue;
		json_comma(out);
		buf_str(out, "{\"executor_info\":{\"executor_id\":");
		put_value(out, c->executor_id);
		buf_str(out, ",\"framework_id\":");
		put_value(out, c->framework_id);
		json_key(out, "source", c->executor_id);
		buf_str(out, "}}");
	}
}

static void put_call_executors(struct agent *a, struct buf *out)
{
	buf_str(out, "{\"executors\":[");
	put_executor_infos(a, out, false);
	buf_str(out, "],\"completed_executors\":[");
	put_executor_infos(a, out, true);
	buf_str(out, "]}");
}

static void put_call_status(struct buf *out, const struct container *c, const struct msg_status *s)
{
	json_comma(out);
	buf_str(out, "{\"task_id\":");
	put_value(out, c->executor_id);
	json_key(out, "state", msg_state_name(s->state));
	json_key(out, "source", s->by_agent ? "SOURCE_AGENT" : "SOURCE_EXECUTOR");
	if (s->by_agent && s->reason != REASON_NONE)
		json_key(out, "reason", msg_reason_name(s->reason));
	if (*s->message)
		json_key(out, "message", s->message);
	buf_str(out, ",\"agent_id\":");
	put_value(out, c->agent->slave_id);
	buf_str(out, ",\"executor_id\":");
	put_value(out, c->executor_id);
	buf_fmt(out, ",\"timestamp\":%.6f,\"container_status\":{\"container_id\":", s->timestamp);
	put_value(out, c->container_id);
	buf_fmt(out, ",\"executor_pid\":%d}}", c->forked_pid);
}

static void put_call_task(struct buf *out, const struct container *c)
{
	json_comma(out);
	buf_str(out, "{\"name\":");
	json_str(out, c->executor_id);
	buf_str(out, ",\"task_id\":");
	put_value(out, c->executor_id);
	buf_str(out, ",\"framework_id\":");
	put_value(out, c->framework_id);
	buf_str(out, ",\"agent_id\":");
	put_value(out, c->agent->slave_id);
	json_key(out, "state", msg_state_name(c->status.state));
	buf_str(out, ",\"statuses\":[");
	for (size_t i = 0; i < c->n_history; i++)
		put_call_status(out, c, &c->history[i]);
	buf_str(out, "]");
	json_key(out, "status_update_state", msg_state_name(c->status.state));
	buf_str(out, "}");
}

enum task_list { TASKS_LAUNCHED, TASKS_TERMINATED, TASKS_COMPLETED };

/* Terminated: at its end, but that is not acknowledged yet. */
static enum task_list task_list(const struct container *c)
{
	if (!msg_state_final(c->status.state))
		return TASKS_LAUNCHED;
	return c->acked ? TASKS_COMPLETED : TASKS_TERMINATED;
}

static void put_call_tasks(struct agent *a, struct buf *out)
{
	static const char *const names[] = { "launched_tasks", "terminated_tasks",
					     "completed_tasks" };

	buf_str(out, "{\"pending_tasks\":[],\"queued_tasks\":[]");
	for (enum task_list l = TASKS_LAUNCHED; l <= TASKS_COMPLETED; l++) {
		buf_fmt(out, ",\"%s\":[", names[l]);
		for (const struct container *c = agent_visible(a); c; c = c->next)
			if (c->launched_task && task_list(c) == l)
				put_call_task(out, c);
		buf_str(out, "]");
	}
	buf_str(out, "}");
}

static void put_call_agent(struct agent *a, struct buf *out)
{
	buf_fmt(out, "{\"agent_info\":{\"hostname\":\"%s\",\"port\":%u,\"id\":{\"value\":\"%s\"}}}",
		a->flags.hostname, a->port, a->slave_id);
}

static void put_call_version(struct agent *a, struct buf *out)
{
	buf_str(out, "{\"version_info\":");
	agent_put_version(a, out);
	buf_str(out, "}");
}

static void put_call_health(struct agent *a, struct buf *out)
{
	(void)a;
	buf_str(out, "{\"healthy\":true}");
}

static const struct {
	const char *type; /* as the body of the call has it */
	const char *member;
	void (*put)(struct agent *a, struct buf *out);
} calls[] = {
	{ "GET_EXECUTORS", "get_executors", put_call_executors },
	{ "GET_TASKS", "get_tasks", put_call_tasks },
	{ "GET_AGENT", "get_agent", put_call_agent },
	{ "GET_VERSION", "get_version", put_call_version },
	{ "GET_HEALTH", "get_health", put_call_health },
};

bool agent_call(struct agent *a, const char *request, struct buf *out)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strstr(request, calls[i].type))
			continue;
		buf_fmt(out, "{\"type\":\"%s\",\"%s\":", calls[i].type, calls[i].member);
		calls[i].put(a, out);
		buf_str(out, "}");
		return true;
	}
	return false;
}
