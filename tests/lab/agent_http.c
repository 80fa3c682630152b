/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's HTTP endpoints (src/slave/http.cpp, 1.12), as JSON. */
#include "agent.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define GIT_SHA "c1b42f79d157aa900be5cbb0c1023f1479962aa7"
#define BUILD                                                                                      \
	"\"git_sha\":\"" GIT_SHA "\",\"git_branch\":\"refs/heads/master\","                        \
	"\"build_date\":\"2024-08-23 "                                                             \
	"19:00:00\",\"build_time\":1724439600.0,\"build_user\":\"root\""
#define TOTAL                                                                                      \
	"{\"disk\":20000.0,\"mem\":8192.0,\"gpus\":0.0,\"cpus\":8.0,"                              \
	"\"ports\":\"[31000-32000]\"}"
#define TASK_RESOURCES "{\"disk\":16.0,\"mem\":32.0,\"gpus\":0.0,\"cpus\":0.1}"

static void put_statuses(struct buf *out, const struct container *c)
{
	buf_str(out, ",\"statuses\":[");
	for (size_t i = 0; i < c->n_history; i++) {
		json_comma(out);
		buf_fmt(out,
			"{\"state\":\"%s\",\"timestamp\":%.5f,\"container_status\":"
			"{\"container_id\":{\"value\":\"%s\"},\"network_infos\":[{\"ip_addresses\":"
			"[{\"protocol\":\"IPv4\",\"ip_address\":\"%s\"}]}]}}",
			msg_state_name(c->history[i].state), c->history[i].timestamp,
			c->container_id, c->agent->flags.hostname);
	}
	buf_str(out, "]");
}

static void put_task(struct buf *out, const struct container *c)
{
	buf_str(out, "{\"id\":");
	json_str(out, c->executor_id);
	json_key(out, "name", c->executor_id);
	json_key(out, "framework_id", c->framework_id);
	json_key(out, "executor_id", ""); /* of a command task */
	json_key(out, "slave_id", c->agent->slave_id);
	json_key(out, "state", msg_state_name(c->status.state));
	buf_str(out, ",\"resources\":" TASK_RESOURCES ",\"role\":\"*\"");
	put_statuses(out, c);
	buf_str(out, "}");
}

/* Its end was reported to the framework and acknowledged. */
static bool task_done(const struct container *c)
{
	return msg_state_final(c->status.state) && c->acked;
}

/* Gone, and nothing of it waits for an acknowledgement. */
bool agent_executor_done(const struct container *c)
{
	return c->state == C_TERMINATED && (task_done(c) || !c->launched_task);
}

static void put_executor(struct buf *out, const struct container *c)
{
	struct msg_ids ids = agent_ids(c);
	char *name = msg_executor_name(&ids);

	json_comma(out);
	buf_str(out, "{\"id\":");
	json_str(out, c->executor_id);
	json_key(out, "name", name);
	json_key(out, "source", c->executor_id);
	json_key(out, "container", c->container_id);
	json_key(out, "directory", c->directory);
	buf_str(out, ",\"resources\":" TASK_RESOURCES ",\"role\":\"*\",\"tasks\":[");
	if (!task_done(c) && c->launched_task)
		put_task(out, c);
	buf_str(out, "],\"queued_tasks\":[],\"completed_tasks\":[");
	if (task_done(c) && c->launched_task)
		put_task(out, c);
	buf_str(out, "]}");
	free(name);
}

/* Where a list begins: api=empty is an answer that access rules have emptied. */
const struct container *agent_visible(const struct agent *a)
{
	return launch_is(a->flags.api, "empty") ? NULL : a->containers;
}

static bool first_of_framework(const struct agent *a, const struct container *c)
{
	const struct container *o = a->containers;

	while (o != c && strcmp(o->framework_id, c->framework_id))
		o = o->next;
	return o == c;
}

static void put_executors(struct buf *out, const struct container *of, bool done)
{
	for (const struct container *c = of; c; c = c->next)
		if (!strcmp(c->framework_id, of->framework_id) && agent_executor_done(c) == done)
			put_executor(out, c);
}

static void put_framework(struct buf *out, const struct container *of)
{
	json_comma(out);
	buf_str(out, "{\"id\":");
	json_str(out, of->framework_id);
	buf_fmt(out,
		",\"name\":\"mesos-execute instance\",\"user\":\"root\","
		"\"failover_timeout\":604800.0,\"checkpoint\":%s,\"hostname\":\"\",\"role\":\"*\","
		"\"executors\":[",
		of->checkpoint ? "true" : "false");
	put_executors(out, of, false);
	buf_str(out, "],\"completed_executors\":[");
	put_executors(out, of, true);
	buf_str(out, "]}");
}

static void put_state(struct agent *a, struct buf *out)
{
	buf_fmt(out,
		"{\"version\":\"%s\"," BUILD ",\"start_time\":%.6f,\"id\":\"%s\",\"pid\":\"%s\"",
		a->flags.version, a->start_time, a->slave_id, a->upid);
	json_key(out, "hostname", a->flags.hostname);
	buf_str(out, ",\"capabilities\":[\"MULTI_ROLE\",\"HIERARCHICAL_ROLE\","
		     "\"RESERVATION_REFINEMENT\"],\"resources\":" TOTAL
		     ",\"reserved_resources\":{},\"unreserved_resources\":" TOTAL
		     ",\"attributes\":{},\"master_hostname\":\"localhost\",\"flags\":");
	agent_flags_json(out, &a->flags);
	buf_str(out, ",\"frameworks\":[");
	for (const struct container *c = agent_visible(a); c; c = c->next)
		if (first_of_framework(a, c))
			put_framework(out, c);
	buf_str(out, "],\"completed_frameworks\":[]}");
}

static void put_containers(struct agent *a, struct buf *out)
{
	buf_str(out, "[");
	for (const struct container *c = agent_visible(a); c; c = c->next) {
		struct msg_ids ids = agent_ids(c);
		char *name = msg_executor_name(&ids);

		if (c->state != C_TERMINATED) {
			json_comma(out);
			buf_fmt(out, "{\"container_id\":\"%s\"", c->container_id);
			json_key(out, "executor_id", c->executor_id);
			json_key(out, "executor_name", name);
			json_key(out, "framework_id", c->framework_id);
			json_key(out, "source", c->executor_id);
			buf_fmt(out,
				",\"statistics\":{\"cpus_soft_limit\":0.2,\"mem_limit_bytes\":"
				"67108864,"
				"\"timestamp\":%.6f},\"status\":{\"container_id\":"
				"{\"value\":\"%s\"},\"executor_pid\":%d}}",
				wall_time(), c->container_id, c->forked_pid);
		}
		free(name);
	}
	buf_str(out, "]");
}

static unsigned int count(const struct agent *a, enum container_state state)
{
	unsigned int n = 0;

	for (const struct container *c = a->containers; c; c = c->next)
		n += c->state == state;
	return n;
}

static unsigned int count_tasks(const struct agent *a, enum msg_task_state state)
{
	unsigned int n = 0;

	for (const struct container *c = a->containers; c; c = c->next)
		n += c->status.state == state && c->state != C_TERMINATED;
	return n;
}

static void put_metrics(struct agent *a, struct buf *out)
{
	buf_fmt(out,
		"{\"containerizer/mesos/container_destroy_errors\":0.0,"
		"\"slave/container_launch_errors\":0.0,\"slave/cpus_total\":8.0,"
		"\"slave/executors_preempted\":0.0,\"slave/executors_registering\":%u.0,"
		"\"slave/executors_running\":%u.0,\"slave/executors_terminated\":%u.0,"
		"\"slave/executors_terminating\":%u.0,\"slave/frameworks_active\":1.0,"
		"\"slave/invalid_status_updates\":0.0,\"slave/recovery_errors\":0.0,"
		"\"slave/recovery_time_secs\":%.6f,\"slave/registered\":%d.0,",
		count(a, C_REGISTERING), count(a, C_RUNNING), a->terminated,
		count(a, C_TERMINATING), a->recovery_seconds, a->state == AGENT_RUNNING);
	buf_fmt(out,
		"\"slave/tasks_failed\":0.0,\"slave/tasks_finished\":0.0,\"slave/tasks_gone\":0.0,"
		"\"slave/tasks_killed\":0.0,\"slave/tasks_lost\":0.0,\"slave/tasks_running\":%u.0,"
		"\"slave/tasks_staging\":%u.0,\"slave/tasks_starting\":%u.0,"
		"\"slave/uptime_secs\":%.6f,\"slave/valid_status_updates\":%u.0}",
		count_tasks(a, TASK_RUNNING), count_tasks(a, TASK_STAGING),
		count_tasks(a, TASK_STARTING), wall_time() - a->start_time, a->valid_updates);
}

static void put_flags(struct agent *a, struct buf *out)
{
	buf_str(out, "{\"flags\":");
	agent_flags_json(out, &a->flags);
	buf_str(out, "}");
}

void agent_put_version(struct agent *a, struct buf *out)
{
	buf_fmt(out, "{" BUILD ",\"version\":\"%s\"}", a->flags.version);
}

static void put_health(struct agent *a, struct buf *out)
{
	(void)a;
	(void)out;
}

static const struct endpoint {
	const char *path;
	bool waits; /* 503 until recovery is over */
	void (*put)(struct agent *a, struct buf *out);
} endpoints[] = {
	{ "/state", true, put_state },
	{ "/containers", false, put_containers },
	{ "/metrics/snapshot", false, put_metrics },
	{ "/flags", false, put_flags },
	{ "/version", false, agent_put_version },
	{ "/health", false, put_health },
};

static const struct endpoint *find_endpoint(const char *target)
{
	size_t len;

	if (!strncmp(target, "/slave(1)/", 10))
		target += 9;
	len = strcspn(target, "?");
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (strlen(endpoints[i].path) == len && !strncmp(target, endpoints[i].path, len))
			return &endpoints[i];
	return NULL;
}

static void reply(struct conn *c, const char *status, const char *type, struct buf *body)
{
	struct buf out = { 0 };

	http_response(&out, status, type, body);
	buf_free(body);
	conn_send_buf(c, &out);
}

static void reply_text(struct conn *c, const char *status, const char *text)
{
	struct buf body = { 0 };

	buf_str(&body, text);
	reply(c, status, "text/plain; charset=utf-8", &body);
}

/* POST /api/v1 with {"type":"..."}. */
static void api_call(struct agent *a, struct conn *c, const struct http_msg *req)
{
	struct buf body = { 0 };

	if (a->state < AGENT_RUNNING) {
		reply_text(c, "503 Service Unavailable", "Agent has not finished recovery");
		return;
	}
	if (req->body.data && agent_call(a, req->body.data, &body))
		reply(c, "200 OK", "application/json", &body);
	else
		reply_text(c, "501 Not Implemented", "");
}

void agent_api(struct agent *a, struct conn *c, const struct http_msg *req)
{
	const struct endpoint *e = find_endpoint(req->target);
	struct buf body = { 0 };

	if (agent_misbehave(a, c, req->target))
		return;
	if (a->state == AGENT_STARTING) {
		reply_text(c, "404 Not Found", "404 Not Found.");
		return;
	}
	if (!strcmp(req->target, "/api/v1") || !strcmp(req->target, "/slave(1)/api/v1")) {
		api_call(a, c, req);
		return;
	}
	if (!e) {
		reply_text(c, "404 Not Found", "404 Not Found.");
		return;
	}
	if (e->waits && a->state < AGENT_RUNNING) {
		reply_text(c, "503 Service Unavailable", "Agent has not finished recovery");
		return;
	}
	e->put(a, &body);
	reply(c, "200 OK", body.len ? "application/json" : NULL, &body);
}
