/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/json/json_report.h"

#include "base/addr.h"
#include "show/json/json_fields.h"
#include "show/units.h"

static const char *agent_end_name(enum ew_tri end)
{
	static const char *const names[] = { "unknown", "absent", "present" };

	return names[end];
}

static const char *tri_name(enum ew_tri tri)
{
	static const char *const names[] = { "unknown", "no", "yes" };

	return names[tri];
}

static json_t *keepalive_new(const struct link_keepalive *keepalive)
{
	struct fields f;

	if (!keepalive->on)
		return json_null();
	f = fields_new();
	field_int(&f, "idle_s", keepalive->idle);
	field_int(&f, "interval_s", keepalive->interval);
	field_int(&f, "count", keepalive->count);
	field_seconds(&f, "probe_in_s", keepalive->probe_in);
	return fields_done(&f);
}

static json_t *link_new(const struct report_link *link)
{
	struct fields f = fields_new();
	char text[ADDR_TEXT_MAX];

	field_value(&f, "fd", link->fd < 0 ? json_null() : json_integer(link->fd));
	field_u64(&f, "inode", link->inode);
	field_u64(&f, "cookie", link->cookie);
	field_text(&f, "local", addr_text(&link->local, text));
	field_text(&f, "remote", addr_text(&link->remote, text));
	field_u64(&f, "netns", link->netns);
	field_text(&f, "state", units_tcp_state(link->state));
	field_text(&f, "agent_end", agent_end_name(link->agent_end));
	field_text(&f, "conntrack", conntrack_name(link->conntrack));
	field_seconds(&f, "idle_s", link->idle);
	field_seconds(&f, "expires_s", link->expires);
	field_text(&f, "fin_accepted", tri_name(link->accepted));
	field_known(&f, "rule", link->rule);
	field_known(&f, "cure", link->cure);
	field_known(&f, "not_judged", link->not_judged);
	field_value(&f, "keepalive", keepalive_new(&link->keepalive));
	field_text(&f, "renewed", tri_name(link->keepalive.renewed));
	return fields_done(&f);
}

static json_t *links_new(const struct report_executor *executor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < executor->n_links; i++) {
		if (json_array_append_new(array, link_new(&executor->links[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *killer_new(const struct report_executor *executor)
{
	struct fields f;

	if (executor->killer <= 0)
		return json_null();
	f = fields_new();
	field_int(&f, "pid", executor->killer);
	field_known(&f, "comm", executor->killer_comm);
	return fields_done(&f);
}

static void identity_set(struct fields *f, const struct report_executor *executor)
{
	field_text(f, "executor_id", executor->executor_id);
	field_text(f, "framework_id", executor->framework_id);
	field_known(f, "container_id", executor->container_id);
	field_texts(f, "tasks", executor->tasks, executor->n_tasks);
	field_positive(f, "pid", executor->pid);
	if (executor->pid > 0)
		field_u64(f, "start_time", executor->start);
	else
		field_value(f, "start_time", json_null());
	field_known(f, "comm", executor->comm);
	field_text(f, "protocol", protocol_name(executor->protocol));
	field_bool(f, "checkpoint", executor->checkpoint);
	field_seconds(f, "recovery_timeout_s", executor->recovery_timeout);
	field_known(f, "library_version", executor->library_version);
	field_value(f, "links", links_new(executor));
}

json_t *json_executor(const struct report *report, const struct report_executor *executor)
{
	struct fields f = fields_new();

	identity_set(&f, executor);
	if (report_has_outcomes(report)) {
		field_text(&f, "outcome", outcome_name(executor->outcome));
		field_known(&f, "proof", proof_name(executor->proof));
		field_known(&f, "cause", cause_name(executor->cause));
		field_bool(&f, "appeared", executor->appeared);
	} else {
		field_text(&f, "verdict", verdict_name(executor->verdict));
		field_known(&f, "forbidden", executor->forbidden);
	}
	field_text(&f, "severity", severity_name(executor->severity));
	field_texts(&f, "why", executor->why, executor->n_why);
	field_text(&f, "advice", executor->advice);
	field_wall(&f, "disconnected_at", executor->disconnected);
	field_wall(&f, "held_at", executor->held);
	field_wall(&f, "deadline", executor->deadline);
	field_bool(&f, "deadline_is_latest", executor->deadline_latest);
	if (report_has_outcomes(report)) {
		field_wall(&f, "ended_at", executor->ended);
		field_value(&f, "killer", killer_new(executor));
	}
	return fields_done(&f);
}
