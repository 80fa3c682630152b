/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts of facts_session.h as recordings have them. */
#include "base/factfields_row.h"

static const struct factjson_field session_fields[] = {
	FIELD(session.tool, "tool"),
	FIELD(session.verb, "verb"),
	FIELD(session.host, "host"),
	FIELD(session.boot_id, "boot_id"),
	FIELD(session.kernel, "kernel"),
	FIELD(session.agent_port, "agent_port"),
	FIELD(session.wall_offset, "wall_offset_ns"),
	FIELD(session.master_timeout, "master_timeout_ns"),
	FIELD(session.netns, "netns"),
	FIELD(session.horizon, "horizon_ns"),
	FIELD(session.restart_wanted, "restart_wanted"),
	TRI(session.elsewhere, "elsewhere"),
	FIELD(session.work_dir_given, "work_dir_given"),
	FIELD(session.ignored, "ignored"),
	FIELD(session.command, "command"),
	FIELD(session.script, "script"),
	FIELD(session.dry_run, "dry_run"),
};

static const struct factjson_field hook_fields[] = {
	FIELD(hook.hook, "slot"),
	FIELD(hook.program, "program"),
	FIELD(hook.reason, "reason"),
	FIELD(hook.best_effort, "best_effort"),
};

static const struct factjson_field audit_log_fields[] = {
	FIELD(audit_log.unwritten, "unwritten"),
	FIELD(audit_log.problem, "problem"),
	FIELD(audit_log.opened, "opened_ns"),
};

static const struct factjson_field unread_fields[] = {
	FIELD(unread.object, "object"),
	FIELD(unread.reason, "reason"),
	FIELD(unread.pid, "pid"),
	FIELD(unread.cookie, "cookie"),
};

static const struct factjson_field lost_fields[] = {
	FIELD(lost.cause, "cause"),
	FIELD(lost.lost, "lost"),
	FIELD(lost.seen, "seen"),
};

static const struct factjson_field scan_fields[] = {
	FIELD(scan.phase, "phase"),
	FIELD(scan.scope, "scope"),
};

static const struct factjson_field now_fields[] = {
	FIELD(now.interrupted, "interrupted"),
	FIELD(now.final, "final"),
	FIELD(now.incomplete, "incomplete"),
};

static const struct factjson_field act_fields[] = {
	FIELD(act.phase, "phase"),
	FIELD(act.action, "action"),
	FIELD(act.framework_id, "framework_id"),
	FIELD(act.executor_id, "executor_id"),
	FIELD(act.pid, "pid"),
	FIELD(act.start, "start"),
	FIELD(act.fd, "fd"),
	FIELD(act.cookie, "cookie"),
	FIELD(act.inode, "inode"),
	FIELD(act.method, "method"),
	FIELD(act.result, "result"),
	FIELD(act.reason, "reason"),
	FIELD(act.reason_id, "reason_id"),
	FIELD_OR(act.stopped, "stopped_ns", -1),
	FIELD_OR(act.effect, "effect_ns", -1),
	FIELD_OR(act.interrupted, "interrupted_ns", -1),
	FIELD_OR(act.copies, "copies", -1),
	FIELD_OR(act.copies_left, "copies_left", -1),
	FIELD(act.begun, "begun_ns"),
	TRI(act.before_on, "before_on"),
	FIELD(act.before_idle, "before_idle_s"),
	FIELD(act.before_interval, "before_interval_s"),
	FIELD(act.before_count, "before_count"),
	TRI(act.on, "on"),
	FIELD(act.idle, "idle_s"),
	FIELD(act.interval, "interval_s"),
	FIELD(act.count, "count"),
	FIELD(act.proof, "proof"),
	FIELD(act.bytes, "bytes"),
};

static const struct factjson_field command_fields[] = {
	FIELD(command.text, "text"),
	FIELD(command.pid, "pid"),
	FIELD(command.phase, "phase"),
	FIELD(command.status, "status"),
};

static const struct factjson_field baseline_fields[] = {
	FIELD(baseline.framework_id, "framework_id"),
	FIELD(baseline.executor_id, "executor_id"),
	FIELD(baseline.container_id, "container_id"),
	FIELD(baseline.protocol, "protocol"),
	FIELD(baseline.verdict, "verdict"),
	FIELD(baseline.pid, "pid"),
	FIELD(baseline.start, "start"),
	FIELD(baseline.recovery_timeout, "recovery_timeout_ns"),
	FIELD(baseline.agent_pid, "agent_pid"),
	FIELD(baseline.agent_start, "agent_start"),
	FIELD(baseline.link, "link"),
	FIELD(baseline.taken_wall, "taken_wall_ns"),
	FIELD(baseline.disconnected_wall, "disconnected_wall_ns"),
	LIST(baseline.tasks, baseline.n_tasks, "tasks"),
	FIELD(baseline.slave_id, "slave_id"),
};

static const struct factjson_field foreseen_fields[] = {
	FIELD(foreseen.id, "id"),
	FIELD(foreseen.severity, "severity"),
	FIELD(foreseen.evidence, "evidence"),
};

static const struct factfields rows[] = {
	TYPE_NAMED(FACT_SESSION, session, "window"),
	TYPE_NAMED(FACT_HOOK, hook, "slot"),
	TYPE(FACT_AUDIT_LOG, audit_log),
	TYPE(FACT_UNREAD, unread),
	TYPE(FACT_LOST, lost),
	TYPE_NAMED(FACT_SCAN, scan, "survey"),
	TYPE(FACT_NOW, now),
	TYPE(FACT_ACT, act),
	TYPE(FACT_COMMAND, command),
	TYPE(FACT_BASELINE, baseline),
	TYPE(FACT_FORESEEN, foreseen),
};

const struct factfields_table factfields_session = TABLE(rows);
