/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts of facts_process.h as recordings have them. */
#include "base/factfields_row.h"

static const struct factjson_field process_fields[] = {
	FIELD(process.pid, "pid"),
	FIELD(process.start, "start"),
	FIELD(process.ppid, "ppid"),
	FIELD(process.ns_pid, "ns_pid"),
	FIELD(process.uid, "uid"),
	FIELD(process.comm, "comm"),
	FIELD(process.exe, "exe"),
	FIELD(process.exe_deleted, "exe_deleted"),
	FIELD(process.cmdline, "cmdline"),
	FIELD(process.cgroup, "cgroup"),
	FIELD(process.netns, "netns"),
	FIELD(process.pidns, "pidns"),
	FIELD(process.pidns_init, "pidns_init"),
	FIELD(process.pidns_outer, "pidns_outer"),
	FIELD(process.pgrp, "pgrp"),
	FIELD(process.session, "session"),
	FIELD(process.state, "state"),
	FIELD(process.in_state, "in_state_ns"),
	FIELD(process.tracer, "tracer"),
	TRI(process.frozen, "frozen"),
	TRI(process.environ_read, "environ_read"),
	FIELD(process.slave_pid, "slave_pid"),
	FIELD(process.slave_id, "slave_id"),
	FIELD(process.framework_id, "framework_id"),
	FIELD(process.executor_id, "executor_id"),
	FIELD(process.directory, "directory"),
	FIELD(process.container_id, "container_id"),
	FIELD(process.checkpoint, "checkpoint"),
	FIELD(process.recovery_timeout, "recovery_timeout_ns"),
	FIELD(process.shutdown_grace, "shutdown_grace_ns"),
	FIELD(process.backoff_max, "backoff_max_ns"),
	FIELD(process.domain_socket, "domain_socket"),
	FIELD(process.library, "library"),
	FIELD(process.library_version, "library_version"),
	FIELD(process.version_from, "version_from"),
	FIELD(process.library_build_id, "library_build_id"),
	TRI(process.library_deleted, "library_deleted"),
};

static const struct factjson_field fork_fields[] = {
	FIELD(fork.pid, "pid"),
	FIELD(fork.start, "start"),
	FIELD(fork.parent, "parent"),
};

static const struct factjson_field exec_fields[] = {
	FIELD(exec.pid, "pid"),
	FIELD(exec.start, "start"),
	FIELD(exec.comm, "comm"),
	FIELD(exec.filename, "filename"),
};

static const struct factjson_field exit_fields[] = {
	FIELD(exit.pid, "pid"),
	FIELD(exit.start, "start"),
	FIELD(exit.comm, "comm"),
	FIELD_OR(exit.status, "status", -1),
	FIELD(exit.signal, "signal"),
	FIELD(exit.killer, "killer"),
	FIELD(exit.killer_start, "killer_start"),
	FIELD(exit.killer_comm, "killer_comm"),
};

static const struct factjson_field signal_fields[] = {
	FIELD(signal.pid, "pid"),
	FIELD(signal.start, "start"),
	FIELD(signal.signal, "signal"),
	FIELD(signal.sender, "sender"),
	FIELD(signal.sender_start, "sender_start"),
	FIELD(signal.sender_comm, "sender_comm"),
};

static const struct factfields rows[] = {
	TYPE(FACT_PROCESS, process), TYPE(FACT_FORK, fork),	TYPE(FACT_EXEC, exec),
	TYPE(FACT_EXIT, exit),	     TYPE(FACT_SIGNAL, signal),
};

const struct factfields_table factfields_process = TABLE(rows);
