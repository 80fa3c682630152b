/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts of facts_next_start.h as recordings have them. */
#include "base/factfields_row.h"

static const struct factjson_field service_fields[] = {
	FIELD(service.pid, "pid"),
	FIELD(service.start, "start"),
	FIELD(service.unit, "unit"),
	FIELD(service.cgroup, "cgroup"),
	FIELD(service.kill_mode, "kill_mode"),
	FIELD(service.from, "from"),
	FIELD(service.main_pid, "main_pid"),
	FIELD(service.restart, "restart"),
	TRI(service.send_sigkill, "send_sigkill"),
	TRI(service.delegate, "delegate"),
	TRI(service.need_reload, "need_reload"),
	FIELD(service.stop_timeout, "stop_timeout_ns"),
	FIELD(service.restart_delay, "restart_delay_ns"),
	LIST(service.steps, service.n_steps, "steps"),
	FIELD(service.file_kill_mode, "file_kill_mode"),
	LIST(service.file_steps, service.n_file_steps, "file_steps"),
	LIST(service.missing, service.n_missing, "missing"),
	LIST(service.differs, service.n_differs, "differs"),
	LIST(service.files, service.n_files, "files"),
	TRI(service.changed, "changed"),
	FIELD(service.changed_file, "changed_file"),
	FIELD(service.problem, "problem"),
	LIST(service.loggers, service.n_loggers, "loggers"),
	FIELD(service.start_timeout, "start_timeout_ns"),
	FIELD(service.next, "next"),
};

static const struct factjson_field flag_fields[] = {
	FIELD(flag.pid, "pid"),		FIELD(flag.start, "start"),
	FIELD(flag.when, "when"),	FIELD(flag.name, "name"),
	FIELD(flag.value, "value"),	FIELD(flag.source, "source"),
	FIELD(flag.problem, "problem"), FIELD(flag.on_command_line, "on_command_line"),
};

static const struct factjson_field next_start_fields[] = {
	FIELD(next_start.pid, "pid"),
	FIELD(next_start.start, "start"),
	FIELD(next_start.unit, "unit"),
	FIELD(next_start.program, "program"),
	FIELD(next_start.version, "version"),
	TRI(next_start.known, "known"),
	FIELD(next_start.problem, "problem"),
	FIELD(next_start.named, "named"),
	LIST(next_start.sources, next_start.n_sources, "sources"),
	LIST(next_start.missing, next_start.n_missing, "missing"),
	LIST(next_start.twice, next_start.n_twice, "twice"),
	TRI(next_start.bound, "bound"),
};

static const struct factjson_field agent_info_fields[] = {
	FIELD(agent_info.slave_id, "slave_id"),
	FIELD(agent_info.hostname, "hostname"),
	FIELD(agent_info.port, "port"),
	FIELD(agent_info.domain, "domain"),
	LIST(agent_info.attributes, agent_info.n_attributes, "attributes"),
	LIST(agent_info.resources, agent_info.n_resources, "resources"),
	FIELD(agent_info.problem, "problem"),
};

static const struct factfields rows[] = {
	TYPE(FACT_SERVICE, service),
	TYPE(FACT_FLAG, flag),
	TYPE(FACT_NEXT_START, next_start),
	TYPE(FACT_AGENT_INFO, agent_info),
};

const struct factfields_table factfields_next_start = TABLE(rows);
