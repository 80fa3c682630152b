/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/factfields.h"

#include <string.h>

#include "base/factjson.h"

#define MEMBER(path) (((struct fact *)0)->path)

/* The kind follows from the type in C; enum ew_tri, which C takes for a number, has its own macro.
 */
#define KIND(path)                                                                                 \
	_Generic(MEMBER(path),                                                                     \
		int32_t: FACTJSON_I32,                                                             \
		uint32_t: FACTJSON_U32,                                                            \
		int64_t: FACTJSON_I64,                                                             \
		uint64_t: FACTJSON_U64,                                                            \
		bool: FACTJSON_BOOL,                                                               \
		double: FACTJSON_REAL,                                                             \
		const char *: FACTJSON_TEXT,                                                       \
		struct ew_addr: FACTJSON_ADDR)

#define FIELD_OR(path, name_, missing_)                                                            \
	{                                                                                          \
		.name = name_, .kind = KIND(path), .offset = offsetof(struct fact, path),          \
		.missing = missing_                                                                \
	}
#define FIELD(path, name_) FIELD_OR(path, name_, 0)
#define TRI(path, name_)                                                                           \
	{                                                                                          \
		.name = name_, .kind = FACTJSON_TRI, .offset = offsetof(struct fact, path)         \
	}
#define LIST(path, n_path, name_)                                                                  \
	{                                                                                          \
		.name = name_, .kind = FACTJSON_LIST, .offset = offsetof(struct fact, path),       \
		.count = offsetof(struct fact, n_path)                                             \
	}
/* name_ is the type in recordings; it stays when the struct is renamed. */
#define TYPE_NAMED(type_, struct_, name_)                                                          \
	{                                                                                          \
		type_, name_, struct_##_fields,                                                    \
			sizeof(struct_##_fields) / sizeof(*struct_##_fields)                       \
	}
#define TYPE(type_, struct_) TYPE_NAMED(type_, struct_, #struct_)

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
};

static const struct factjson_field hook_fields[] = {
	FIELD(hook.hook, "slot"),
	FIELD(hook.program, "program"),
	FIELD(hook.reason, "reason"),
	FIELD(hook.best_effort, "best_effort"),
};

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

static const struct factjson_field socket_fields[] = {
	FIELD(socket.cookie, "cookie"),	       FIELD(socket.inode, "inode"),
	FIELD(socket.netns, "netns"),	       FIELD(socket.local, "local"),
	FIELD(socket.remote, "remote"),	       FIELD(socket.state, "state"),
	FIELD_OR(socket.idle, "idle_ns", -1),  FIELD(socket.mptcp, "mptcp"),
	FIELD(socket.probe_in, "probe_in_ns"),
};

static const struct factjson_field holder_fields[] = {
	FIELD(holder.cookie, "cookie"),
	FIELD(holder.pid, "pid"),
	FIELD(holder.start, "start"),
	FIELD(holder.fd, "fd"),
};

static const struct factjson_field tcp_fields[] = {
	FIELD(tcp.cookie, "cookie"), FIELD(tcp.netns, "netns"), FIELD(tcp.local, "local"),
	FIELD(tcp.remote, "remote"), FIELD(tcp.from, "from"),	FIELD(tcp.to, "to"),
	FIELD(tcp.pid, "pid"),	     FIELD(tcp.start, "start"),
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

static const struct factjson_field message_fields[] = {
	FIELD(message.cookie, "cookie"),
	FIELD(message.pid, "pid"),
	FIELD(message.start, "start"),
	FIELD(message.local, "local"),
	FIELD(message.remote, "remote"),
	FIELD(message.netns, "netns"),
	FIELD(message.name, "name"),
	FIELD(message.from, "from"),
	FIELD(message.executor_id, "executor_id"),
	FIELD(message.framework_id, "framework_id"),
	FIELD(message.task_id, "task_id"),
	FIELD(message.task_state, "task_state"),
	FIELD(message.status, "status"),
};

static const struct factjson_field ct_active_fields[] = {
	FIELD(ct_active.netns, "netns"),
	TRI(ct_active.in_force, "in_force"),
	FIELD(ct_active.entries, "entries"),
	FIELD(ct_active.limit, "limit"),
	FIELD(ct_active.established, "established_ns"),
};

static const struct factjson_field ct_entry_fields[] = {
	FIELD(ct_entry.cookie, "cookie"),
	FIELD(ct_entry.netns, "netns"),
	TRI(ct_entry.present, "present"),
	FIELD_OR(ct_entry.timeout, "timeout_ns", -1),
	FIELD(ct_entry.zone, "zone"),
	FIELD(ct_entry.translated, "translated"),
	FIELD(ct_entry.reply_local, "reply_local"),
	FIELD(ct_entry.reply_remote, "reply_remote"),
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

static const struct factjson_field scan_fields[] = {
	FIELD(scan.phase, "phase"),
	FIELD(scan.scope, "scope"),
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

static const struct factjson_field now_fields[] = {
	FIELD(now.interrupted, "interrupted"),
	FIELD(now.final, "final"),
	FIELD(now.incomplete, "incomplete"),
};

static const struct factjson_field fork_fields[] = {
	FIELD(fork.pid, "pid"),
	FIELD(fork.start, "start"),
	FIELD(fork.parent, "parent"),
};

static const struct factjson_field firewall_fields[] = {
	FIELD(firewall.cookie, "cookie"),
	FIELD(firewall.netns, "netns"),
	TRI(firewall.accepted, "accepted"),
	TRI(firewall.untracked, "untracked"),
	FIELD(firewall.rule, "rule"),
	FIELD(firewall.cure, "cure"),
	FIELD(firewall.not_judged, "not_judged"),
};

static const struct factjson_field unix_link_fields[] = {
	FIELD(unix_link.pid, "pid"),
	FIELD(unix_link.start, "start"),
	FIELD_OR(unix_link.fd, "fd", -1),
	FIELD(unix_link.inode, "inode"),
	FIELD(unix_link.peer_inode, "peer_inode"),
	FIELD(unix_link.peer_pid, "peer_pid"),
	FIELD(unix_link.peer_start, "peer_start"),
	FIELD(unix_link.path, "path"),
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
};

static const struct factjson_field disk_fields[] = {
	FIELD(disk.role, "role"),	  FIELD(disk.path, "path"),
	FIELD(disk.bytes, "bytes"),	  FIELD(disk.bytes_free, "bytes_free"),
	FIELD(disk.inodes, "inodes"),	  FIELD(disk.inodes_free, "inodes_free"),
	TRI(disk.read_only, "read_only"),
};

static const struct factjson_field master_fields[] = {
	FIELD(master.url, "url"),
	FIELD(master.problem, "problem"),
	FIELD(master.named, "named"),
	FIELD(master.http_status, "http_status"),
	FIELD(master.slave_id, "slave_id"),
	TRI(master.lists_agent, "lists_agent"),
	FIELD(master.removal_after, "removal_after_ns"),
};

static const struct factjson_field docker_fields[] = {
	FIELD(docker.socket, "socket"),
	TRI(docker.answers, "answers"),
	FIELD(docker.problem, "problem"),
	TRI(docker.kill_orphans, "kill_orphans"),
};

static const struct factjson_field container_fields[] = {
	FIELD(container.name, "name"),
	FIELD(container.state, "state"),
};

static const struct factjson_field foreseen_fields[] = {
	FIELD(foreseen.id, "id"),
	FIELD(foreseen.severity, "severity"),
	FIELD(foreseen.evidence, "evidence"),
};

static const struct factjson_field agent_log_fields[] = {
	FIELD(agent_log.pid, "pid"),
	FIELD(agent_log.start, "start"),
	FIELD(agent_log.source, "source"),
	FIELD(agent_log.text, "text"),
};

static const struct factjson_field host_fields[] = {
	FIELD(host.cpus, "cpus"),
	FIELD(host.load, "load"),
	TRI(host.bound, "bound"),
	FIELD(host.address, "address"),
};

static const struct factjson_field keepalive_fields[] = {
	FIELD(keepalive.cookie, "cookie"), FIELD(keepalive.pid, "pid"),
	FIELD(keepalive.start, "start"),   TRI(keepalive.on, "on"),
	FIELD(keepalive.idle, "idle_s"),   FIELD(keepalive.interval, "interval_s"),
	FIELD(keepalive.count, "count"),   FIELD_OR(keepalive.probe_in, "probe_in_ns", -1),
};

static const struct factjson_field port_fields[] = {
	FIELD(port.port, "port"),
	FIELD(port.source, "source"),
};

static const struct factjson_field damage_fields[] = {
	FIELD(damage.path, "path"),
	FIELD(damage.text, "text"),
	TRI(damage.fatal, "fatal"),
};

static const struct factjson_field agent_away_fields[] = {
	FIELD(agent_away.wall, "wall_ns"),
};

static const struct factfields types[] = {
	TYPE_NAMED(FACT_SESSION, session, "window"),
	TYPE_NAMED(FACT_HOOK, hook, "slot"),
	TYPE(FACT_PROCESS, process),
	TYPE(FACT_SOCKET, socket),
	TYPE(FACT_HOLDER, holder),
	TYPE(FACT_TCP, tcp),
	TYPE(FACT_EXEC, exec),
	TYPE(FACT_EXIT, exit),
	TYPE(FACT_SIGNAL, signal),
	TYPE(FACT_MESSAGE, message),
	TYPE_NAMED(FACT_CT_ACTIVE, ct_active, "tracking"),
	TYPE_NAMED(FACT_CT_ENTRY, ct_entry, "entry"),
	TYPE(FACT_CHECKPOINT, checkpoint),
	TYPE(FACT_WORK_DIR, work_dir),
	TYPE(FACT_AGENT, agent),
	TYPE(FACT_API, api),
	TYPE(FACT_API_EXECUTOR, api_executor),
	TYPE(FACT_UNREAD, unread),
	TYPE(FACT_LOST, lost),
	TYPE(FACT_ACT, act),
	TYPE(FACT_COMMAND, command),
	TYPE_NAMED(FACT_SCAN, scan, "survey"),
	TYPE(FACT_BASELINE, baseline),
	TYPE(FACT_NOW, now),
	TYPE(FACT_FORK, fork),
	TYPE(FACT_FIREWALL, firewall),
	TYPE(FACT_UNIX_LINK, unix_link),
	TYPE(FACT_TASK, task),
	TYPE(FACT_END, end),
	TYPE(FACT_SERVICE, service),
	TYPE(FACT_AGENT_AWAY, agent_away),
	TYPE(FACT_DAMAGE, damage),
	TYPE(FACT_FLAG, flag),
	TYPE(FACT_NEXT_START, next_start),
	TYPE(FACT_AGENT_INFO, agent_info),
	TYPE(FACT_DISK, disk),
	TYPE(FACT_MASTER, master),
	TYPE(FACT_DOCKER, docker),
	TYPE(FACT_CONTAINER, container),
	TYPE(FACT_HOST, host),
	TYPE(FACT_KEEPALIVE, keepalive),
	TYPE(FACT_PORT, port),
	TYPE(FACT_AGENT_LOG, agent_log),
	TYPE(FACT_FORESEEN, foreseen),
};

#define N_TYPES (sizeof(types) / sizeof(types[0]))

const struct factfields *factfields_of(enum fact_type type)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (types[i].type == type)
			return &types[i];
	}
	return NULL;
}

const struct factfields *factfields_named(const char *name)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}
