/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts of facts_connection.h as recordings have them. */
#include "base/factfields_row.h"

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

static const struct factjson_field keepalive_fields[] = {
	FIELD(keepalive.cookie, "cookie"), FIELD(keepalive.pid, "pid"),
	FIELD(keepalive.start, "start"),   TRI(keepalive.on, "on"),
	FIELD(keepalive.idle, "idle_s"),   FIELD(keepalive.interval, "interval_s"),
	FIELD(keepalive.count, "count"),   FIELD_OR(keepalive.probe_in, "probe_in_ns", -1),
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

static const struct factfields rows[] = {
	TYPE(FACT_SOCKET, socket),
	TYPE(FACT_HOLDER, holder),
	TYPE(FACT_TCP, tcp),
	TYPE(FACT_MESSAGE, message),
	TYPE(FACT_UNIX_LINK, unix_link),
	TYPE_NAMED(FACT_CT_ACTIVE, ct_active, "tracking"),
	TYPE_NAMED(FACT_CT_ENTRY, ct_entry, "entry"),
	TYPE(FACT_KEEPALIVE, keepalive),
	TYPE(FACT_FIREWALL, firewall),
};

const struct factfields_table factfields_connection = TABLE(rows);
