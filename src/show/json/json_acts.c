/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/json/json_report.h"

#include "show/json/json_fields.h"

static void microseconds_set(struct fields *f, const char *name, int64_t ns)
{
	field_value(f, name, ns < 0 ? json_null() : json_integer((ns + 500) / 1000));
}

static void count_set(struct fields *f, const char *name, int32_t count)
{
	field_value(f, name, count < 0 ? json_null() : json_integer(count));
}

static json_t *act_keepalive_new(const struct act_keepalive *keepalive)
{
	struct fields f;

	if (keepalive->on == EW_UNKNOWN)
		return json_null();
	f = fields_new();
	field_bool(&f, "on", keepalive->on == EW_YES);
	field_int(&f, "idle_s", keepalive->idle);
	field_int(&f, "interval_s", keepalive->interval);
	field_int(&f, "count", keepalive->count);
	return fields_done(&f);
}

static json_t *act_new(const struct report_act *act)
{
	struct fields f = fields_new();

	field_text(&f, "executor_id", act->executor_id);
	field_text(&f, "framework_id", act->framework_id);
	field_positive(&f, "pid", act->pid);
	field_value(&f, "fd", act->fd < 0 ? json_null() : json_integer(act->fd));
	field_known(&f, "method", act->method);
	field_text(&f, "result", act->result);
	field_text(&f, "reason", act->reason);
	field_known(&f, "reason_id", act->reason_id);
	microseconds_set(&f, "stopped_us", act->stopped);
	microseconds_set(&f, "effect_us", act->effect);
	microseconds_set(&f, "interrupted_us", act->interrupted);
	count_set(&f, "copies", act->copies);
	count_set(&f, "copies_left", act->copies_left);
	field_wall(&f, "at", act->at);
	field_text(&f, "action", act->action);
	field_value(&f, "keepalive_before", act_keepalive_new(&act->before));
	field_value(&f, "keepalive", act_keepalive_new(&act->after));
	field_known(&f, "proof", act->proof);
	field_known(&f, "bytes", act->bytes);
	return fields_done(&f);
}

json_t *json_acts(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->n_acts; i++)
		array = fields_append(array, act_new(&report->acts[i]));
	return array;
}
