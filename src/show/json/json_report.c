/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/json/json_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/jsonval.h"
#include "base/addr.h"
#include "show/json/json_fields.h"
#include "show/textbuf.h"

static const char *schema_name(enum report_kind kind)
{
	static const char *const names[] = {
		[REPORT_AUDIT] = "execwatch.audit/1",
		[REPORT_SHUTDOWN] = "execwatch.shutdown/1",
		[REPORT_VERIFY] = "execwatch.verify/1",
		[REPORT_RUN] = "execwatch.run/1",
		[REPORT_PROTECT] = "execwatch.protect/1",
		[REPORT_HOLD] = "execwatch.hold/1",
		[REPORT_WATCH] = "execwatch.audit/1",
		[REPORT_GUARD] = "execwatch.guard/1",
	};

	return names[kind];
}

static json_t *advertised_ports_new(const struct report *report)
{
	json_t *ports = json_array();

	for (int i = 1; i < AGENT_PORTS_MAX && report->ports.v[i]; i++)
		json_array_append_new(ports, json_integer(report->ports.v[i]));
	return ports;
}

static json_t *agent_new(const struct report *report)
{
	const struct report_agent *agent = &report->agent;
	struct fields f = fields_new();
	char text[ADDR_TEXT_MAX];

	field_positive(&f, "port", report->agent_port);
	field_positive(&f, "pid", agent->pid);
	if (agent->pid > 0) {
		field_u64(&f, "start_time", agent->start);
		field_text(&f, "listen", addr_text(&agent->listen, text));
	} else {
		field_value(&f, "start_time", json_null());
		field_value(&f, "listen", json_null());
	}
	field_known(&f, "comm", agent->comm);
	field_known(&f, "version", agent->version);
	field_known(&f, "slave_id", agent->slave_id);
	field_known(&f, "work_dir", agent->work_dir);
	field_known(&f, "api", agent->api);
	field_bool(&f, "serving", agent->serving);
	field_bool(&f, "restarted", agent->restarted);
	field_value(&f, "advertised_ports", advertised_ports_new(report));
	return fields_done(&f);
}

/* Null where nothing is compared. */
static json_t *baseline_new(const struct report *report)
{
	const struct report_baseline *baseline = &report->baseline;
	struct fields f;

	if (!baseline->taken)
		return json_null();
	f = fields_new();
	field_wall(&f, "generated_at", baseline->taken);
	field_positive(&f, "agent_pid", baseline->agent_pid);
	field_u64(&f, "agent_start_time", baseline->agent_start);
	return fields_done(&f);
}

static json_t *findings_new(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->n_findings; i++) {
		const struct report_finding *finding = &report->findings[i];
		struct fields f = fields_new();

		field_text(&f, "id", finding->id);
		field_text(&f, "severity", severity_name(finding->severity));
		field_text(&f, "evidence", finding->evidence);
		field_text(&f, "cure", finding->cure);
		field_text(&f, "effect", finding->effect);
		field_bool(&f, "ignored", finding->ignored);
		array = fields_append(array, fields_done(&f));
	}
	return array;
}

static json_t *foreseen_new(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->n_foreseen; i++) {
		const struct report_foreseen *foreseen = &report->foreseen[i];
		struct fields f = fields_new();

		field_text(&f, "id", foreseen->id);
		field_text(&f, "severity", foreseen->severity);
		field_text(&f, "evidence", foreseen->evidence);
		field_bool(&f, "stands", foreseen->stands);
		array = fields_append(array, fields_done(&f));
	}
	return array;
}

static json_t *executors_new(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->n_executors; i++)
		array = fields_append(array, json_executor(report, &report->executors[i]));
	return array;
}

static json_t *summary_new(const struct report *report)
{
	struct fields f = fields_new();

	if (report_has_outcomes(report)) {
		for (int i = 1; i <= OUTCOME_COUNT; i++)
			field_u64(&f, outcome_name((enum outcome)(i % OUTCOME_COUNT)),
				  report->outcomes[i % OUTCOME_COUNT]);
	} else {
		for (int i = 1; i <= VERDICT_COUNT; i++)
			field_u64(&f, verdict_name((enum verdict)(i % VERDICT_COUNT)),
				  report->verdicts[i % VERDICT_COUNT]);
	}
	return fields_done(&f);
}

static json_t *events_new(const struct report *report)
{
	struct fields f = fields_new();

	field_u64(&f, "seen", report->events_seen);
	field_u64(&f, "lost", report->events_lost);
	return fields_done(&f);
}

static json_t *others_new(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->n_others; i++) {
		struct fields f = fields_new();

		field_positive(&f, "pid", report->others[i].pid);
		field_known(&f, "comm", report->others[i].comm);
		field_int(&f, "connections", report->others[i].connections);
		array = fields_append(array, fields_done(&f));
	}
	return array;
}

static json_t *clocks_new(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(report->clocks) / sizeof(report->clocks[0]); i++) {
		struct fields f;

		if (!report->clocks[i].name)
			continue;
		f = fields_new();
		field_text(&f, "name", report->clocks[i].name);
		field_wall(&f, "deadline", report->clocks[i].deadline);
		array = fields_append(array, fields_done(&f));
	}
	return array;
}

static json_t *command_new(const struct report *report)
{
	int status = report->command_status;
	bool exited = report->command_ended && status >= 0 && WIFEXITED(status);
	bool killed = report->command_ended && status >= 0 && WIFSIGNALED(status);
	struct fields f = fields_new();

	field_text(&f, "text", report->command);
	field_bool(&f, "ended", report->command_ended);
	field_value(&f, "exit_code", exited ? json_integer(WEXITSTATUS(status)) : json_null());
	field_value(&f, "signal", killed ? json_integer(WTERMSIG(status)) : json_null());
	return fields_done(&f);
}

static json_t *master_new(const struct report *report)
{
	const struct report_master *master = &report->master;
	struct fields f = fields_new();

	field_text(&f, "url", master->url);
	field_known(&f, "problem", master->problem);
	field_value(&f, "lists_agent",
		    master->lists_agent == EW_UNKNOWN
			    ? json_null()
			    : json_boolean(master->lists_agent == EW_YES));
	field_seconds(&f, "removal_after_s", master->removal_after ? master->removal_after : -1);
	return fields_done(&f);
}

static void head_set(struct fields *f, const struct report *report)
{
	field_text(f, "schema", schema_name(report->kind));
	field_text(f, "tool", report->tool);
	field_text(f, "host", report->host);
	field_text(f, "boot_id", report->boot_id);
	field_wall(f, "generated_at", report->generated);
	field_value(f, "agent", agent_new(report));
	field_value(f, "master", report->master.url ? master_new(report) : json_null());
	if (report_has_outcomes(report))
		field_value(f, "baseline", baseline_new(report));
}

/* Executors that ended during a watch. */
static json_t *ended_new(const struct report *report)
{
	const struct report ended = report_ended(report);
	json_t *array = json_array();

	for (size_t i = 0; i < ended.n_executors; i++)
		array = fields_append(array, json_executor(&ended, &ended.executors[i]));
	return array;
}

static void tail_set(struct fields *f, const struct report *report)
{
	if (report->kind == REPORT_WATCH)
		field_value(f, "ended", ended_new(report));
	field_value(f, "findings", findings_new(report));
	if (report_has_outcomes(report))
		field_value(f, "foreseen", foreseen_new(report));
	field_value(f, "summary", summary_new(report));
	field_value(f, "events", events_new(report));
	if (report->kind == REPORT_SHUTDOWN || report->kind == REPORT_RUN ||
	    report->kind == REPORT_PROTECT || report->kind == REPORT_HOLD ||
	    report->kind == REPORT_GUARD)
		field_value(f, "acts", json_acts(report));
	field_value(f, "other_connections", others_new(report));
	field_value(f, "clocks", clocks_new(report));
	if (report->command)
		field_value(f, "command", command_new(report));
	field_known(f, "messages_hook", report->messages);
	field_bool(f, "messages_best_effort", report->messages_best_effort);
	field_texts(f, "notes", report->notes, report->n_notes);
	field_bool(f, "interrupted", report->interrupted);
	field_int(f, "exit_code", report->exit_code);
}

static json_t *json_report_new(const struct report *report)
{
	struct fields f = fields_new();

	head_set(&f, report);
	field_value(&f, "executors", executors_new(report));
	tail_set(&f, report);
	return fields_done(&f);
}

/* Writes the value, or an object's members, and lets it go. False: no memory, or not written. */
static bool put(FILE *out, json_t *value, size_t flags)
{
	bool done = value && jsonval_dumpf(value, out,
					   JSON_COMPACT | JSON_REAL_PRECISION(JSON_REAL_DIGITS) |
						   flags) == 0;

	json_decref(value);
	return done;
}

static bool put_line(FILE *out, json_t *front, const struct report *report)
{
	struct fields head = fields_new(), tail = fields_new();
	bool done = true;

	fputc('{', out);
	if (front) {
		done = put(out, front, JSON_EMBED);
		fputc(',', out);
	}
	head_set(&head, report);
	done &= put(out, fields_done(&head), JSON_EMBED);
	fputs(",\"executors\":[", out);
	for (size_t i = 0; i < report->n_executors; i++) {
		if (i)
			fputc(',', out);
		done &= put(out, json_executor(report, &report->executors[i]), 0);
	}
	fputs("],", out);
	tail_set(&tail, report);
	done &= put(out, fields_done(&tail), JSON_EMBED);
	fputs("}\n", out);
	return done;
}

/* Each executor by itself: the tree of a large node's has four times the size of their text. */
int json_report_line_write(FILE *out, json_t *front, const struct report *report)
{
	bool done;

	errno = 0;
	done = put_line(out, front, report);
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return done ? 0 : -ENOMEM;
}

char *json_report_text(const struct report *report, size_t *len)
{
	json_t *document = json_report_new(report);
	char *json = NULL, *text = NULL;
	int size;

	if (document)
		json = jsonval_dumps(document,
				     JSON_INDENT(2) | JSON_REAL_PRECISION(JSON_REAL_DIGITS));
	if (json) {
		size = asprintf(&text, "%s\n", json);
		if (size < 0)
			text = NULL;
		else
			*len = (size_t)size;
	}
	free(json);
	json_decref(document);
	return text;
}

int json_report_write(FILE *out, const struct report *report)
{
	size_t len;
	char *text = json_report_text(report, &len);
	int err;

	if (!text)
		return -ENOMEM;
	err = textbuf_write(out, text, len);
	free(text);
	return err;
}
