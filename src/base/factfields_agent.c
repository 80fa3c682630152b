/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts of facts_agent.h as recordings have them. */
#include "base/factfields_row.h"

static const struct factjson_field agent_fields[] = {
	FIELD(agent.pid, "pid"),
	FIELD(agent.start, "start"),
	FIELD(agent.comm, "comm"),
	FIELD(agent.exe, "exe"),
	FIELD(agent.cgroup, "cgroup"),
	FIELD(agent.listen, "listen"),
	FIELD(agent.netns, "netns"),
	FIELD(agent.cookie, "cookie"),
	FIELD(agent.gone, "gone"),
	TRI(agent.uid_known, "uid_known"),
	FIELD(agent.uid, "uid"),
	FIELD(agent.pidns, "pidns"),
	FIELD(agent.pidns_init, "pidns_init"),
};

static const struct factjson_field port_fields[] = {
	FIELD(port.port, "port"),
	FIELD(port.source, "source"),
};

static const struct factjson_field listener_fields[] = {
	FIELD(listener.listen, "listen"),
	FIELD(listener.netns, "netns"),
};

static const struct factjson_field agent_away_fields[] = {
	FIELD(agent_away.wall, "wall_ns"),
};

static const struct factjson_field agent_log_fields[] = {
	FIELD(agent_log.pid, "pid"),
	FIELD(agent_log.start, "start"),
	FIELD(agent_log.source, "source"),
	FIELD(agent_log.text, "text"),
};

static const struct factjson_field work_dir_fields[] = {
	FIELD(work_dir.path, "path"),
	FIELD(work_dir.slave_id, "slave_id"),
	TRI(work_dir.readable, "readable"),
	TRI(work_dir.same_boot, "same_boot"),
	TRI(work_dir.owner_known, "owner_known"),
	FIELD(work_dir.uid, "uid"),
	TRI(work_dir.latest, "latest"),
	FIELD(work_dir.info_port, "info_port"),
	FIELD(work_dir.boot_written, "boot_written_wall_ns"),
};

static const struct factjson_field checkpoint_fields[] = {
	FIELD(checkpoint.slave_id, "slave_id"),
	FIELD(checkpoint.framework_id, "framework_id"),
	FIELD(checkpoint.executor_id, "executor_id"),
	FIELD(checkpoint.container_id, "container_id"),
	FIELD(checkpoint.forked_pid, "forked_pid"),
	FIELD(checkpoint.upid, "upid"),
	FIELD(checkpoint.http, "http"),
	FIELD(checkpoint.completed, "completed"),
	LIST(checkpoint.tasks, checkpoint.n_tasks, "tasks"),
	TRI(checkpoint.owner_known, "owner_known"),
	FIELD(checkpoint.uid, "uid"),
	FIELD(checkpoint.latest, "latest"),
	TRI(checkpoint.own_boot, "own_boot"),
	TRI(checkpoint.recoverable, "recoverable"),
	FIELD(checkpoint.obstacle, "obstacle"),
	FIELD(checkpoint.forked_wall, "forked_wall_ns"),
};

static const struct factjson_field damage_fields[] = {
	FIELD(damage.path, "path"),
	FIELD(damage.text, "text"),
	TRI(damage.fatal, "fatal"),
};

static const struct factjson_field api_fields[] = {
	FIELD(api.url, "url"),
	FIELD(api.http_status, "http_status"),
	FIELD(api.problem, "problem"),
	FIELD(api.recovering, "recovering"),
	FIELD(api.slave_id, "slave_id"),
	FIELD(api.version, "version"),
	FIELD(api.start_time, "start_time"),
	FIELD(api.reregister_timeout, "reregister_timeout_ns"),
	FIELD(api.recovery_timeout, "recovery_timeout_ns"),
	FIELD(api.work_dir, "work_dir"),
	FIELD(api.answer_nr, "round"),
	FIELD(api.upid, "upid"),
	TRI(api.complete, "complete"),
	FIELD(api.pid, "pid"),
	FIELD(api.start, "start"),
	TRI(api.strict, "strict"),
};

static const struct factjson_field api_executor_fields[] = {
	FIELD(api_executor.answer_nr, "round"),
	FIELD(api_executor.framework_id, "framework_id"),
	FIELD(api_executor.executor_id, "executor_id"),
	FIELD(api_executor.container_id, "container_id"),
	FIELD(api_executor.completed, "completed"),
	LIST(api_executor.tasks, api_executor.n_tasks, "tasks"),
	FIELD(api_executor.state, "state"),
};

static const struct factjson_field task_fields[] = {
	FIELD(task.framework_id, "framework_id"),
	FIELD(task.executor_id, "executor_id"),
	FIELD(task.container_id, "container_id"),
	FIELD(task.task_id, "task_id"),
	FIELD(task.state, "state"),
	FIELD(task.reason, "reason"),
	FIELD(task.source, "source"),
	FIELD(task.wall, "wall_ns"),
	FIELD(task.by, "by"),
};

static const struct factjson_field end_fields[] = {
	FIELD(end.framework_id, "framework_id"),
	FIELD(end.executor_id, "executor_id"),
	FIELD(end.container_id, "container_id"),
	FIELD(end.cause, "cause"),
	FIELD(end.source, "source"),
	FIELD(end.text, "text"),
	FIELD(end.wall, "wall_ns"),
};

static const struct factfields rows[] = {
	TYPE(FACT_AGENT, agent),
	TYPE(FACT_PORT, port),
	TYPE(FACT_LISTENER, listener),
	TYPE(FACT_AGENT_AWAY, agent_away),
	TYPE(FACT_AGENT_LOG, agent_log),
	TYPE(FACT_WORK_DIR, work_dir),
	TYPE(FACT_CHECKPOINT, checkpoint),
	TYPE(FACT_DAMAGE, damage),
	TYPE(FACT_API, api),
	TYPE(FACT_API_EXECUTOR, api_executor),
	TYPE(FACT_TASK, task),
	TYPE(FACT_END, end),
};

const struct factfields_table factfields_agent = TABLE(rows);
