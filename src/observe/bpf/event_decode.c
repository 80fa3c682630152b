/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/event_decode.h"

#include <string.h>
#include <time.h>

#include "events.h"
#include "facts.h"
#include "mesos/message.h"

static void ends_decode(const struct ew_ends *ends, struct ew_addr *local, struct ew_addr *remote,
			uint64_t *netns)
{
	memcpy(local->ip, ends->laddr, sizeof(local->ip));
	memcpy(remote->ip, ends->raddr, sizeof(remote->ip));
	local->port = ends->lport;
	remote->port = ends->rport;
	*netns = ends->netns;
}

static void tcp_emit(const struct ew_tcp *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_TCP;
	fact->tcp.cookie = ev->cookie;
	ends_decode(&ev->ends, &fact->tcp.local, &fact->tcp.remote, &fact->tcp.netns);
	fact->tcp.from = ev->from;
	fact->tcp.to = ev->to;
	fact->tcp.pid = (int32_t)ev->task.tgid;
	fact->tcp.start = ev->task.start_ticks;
	fact_emit(sink, fact);
}

static void fork_emit(const struct ew_fork *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_FORK;
	fact->fork.pid = (int32_t)ev->child.tgid;
	fact->fork.start = ev->child.start_ticks;
	fact->fork.parent = (int32_t)ev->parent.tgid;
	fact_emit(sink, fact);
}

static void exec_emit(const struct ew_exec *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_EXEC;
	fact->exec.pid = (int32_t)ev->task.tgid;
	fact->exec.start = ev->task.start_ticks;
	fact->exec.comm = ev->comm;
	fact->exec.filename = ev->filename;
	fact_emit(sink, fact);
}

static void exit_emit(const struct ew_exit *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_EXIT;
	fact->exit.pid = (int32_t)ev->task.tgid;
	fact->exit.start = ev->task.start_ticks;
	fact->exit.comm = ev->comm;
	fact->exit.status = ev->status;
	fact->exit.signal = ev->signal;
	fact->exit.killer = (int32_t)ev->killer.tgid;
	fact->exit.killer_start = ev->killer.start_ticks;
	fact->exit.killer_comm = ev->killer_comm;
	fact_emit(sink, fact);
}

static void signal_emit(const struct ew_signal *ev, struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_SIGNAL;
	fact->signal.pid = (int32_t)ev->target.tgid;
	fact->signal.start = ev->target.start_ticks;
	fact->signal.signal = ev->signal;
	fact->signal.sender = (int32_t)ev->sender.tgid;
	fact->signal.sender_start = ev->sender.start_ticks;
	fact->signal.sender_comm = ev->sender_comm;
	fact_emit(sink, fact);
}

#define ID_MAX 256 /* longer ids do not fit into the bytes that are read */

static void message_emit(const struct ew_message *ev, struct fact *fact,
			 const struct fact_sink *sink)
{
	char name[MESOS_MESSAGE_NAME_MAX], from[ID_MAX], executor_id[ID_MAX], framework_id[ID_MAX];
	char task_id[ID_MAX];
	struct mesos_message message;

	mesos_message_parse(ev->bytes, ev->len, &message);
	if (message.kind == MESOS_UNKNOWN)
		return;
	mesos_message_name(&message, name);
	fact->type = FACT_MESSAGE;
	fact->message.cookie = ev->cookie;
	fact->message.pid = (int32_t)ev->sender.tgid;
	fact->message.start = ev->sender.start_ticks;
	ends_decode(&ev->ends, &fact->message.local, &fact->message.remote, &fact->message.netns);
	fact->message.name = name;
	fact->message.from = mesos_span_copy(message.from_text, from, sizeof(from));
	fact->message.executor_id =
		mesos_span_copy(message.executor_id, executor_id, sizeof(executor_id));
	fact->message.framework_id =
		mesos_span_copy(message.framework_id, framework_id, sizeof(framework_id));
	fact->message.task_id = mesos_span_copy(message.task_id, task_id, sizeof(task_id));
	fact->message.task_state = message.task_state;
	fact->message.status = message.status;
	fact_emit(sink, fact);
}

static void holder_emit(uint64_t cookie, const struct ew_task *holder, int32_t fd,
			struct fact *fact, const struct fact_sink *sink)
{
	fact->type = FACT_HOLDER;
	fact->holder.cookie = cookie;
	fact->holder.pid = (int32_t)holder->tgid;
	fact->holder.start = holder->start_ticks;
	fact->holder.fd = fd;
	fact_emit(sink, fact);
}

/* The coarse clock's resolution is one jiffy (kernel/time/posix-timers.c, KTIME_LOW_RES). */
static int64_t jiffy_ns(void)
{
	struct timespec res;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &res) < 0 ? 0 : res.tv_nsec;
}

static void socket_emit(const struct ew_scan_socket *row, struct fact *fact,
			const struct fact_sink *sink)
{
	int64_t jiffy = jiffy_ns();

	fact->type = FACT_SOCKET;
	fact->socket.cookie = row->cookie;
	fact->socket.inode = row->inode;
	ends_decode(&row->ends, &fact->socket.local, &fact->socket.remote, &fact->socket.netns);
	fact->socket.state = row->state;
	fact->socket.idle = row->idle_jiffies < 0 || !jiffy ? -1 : row->idle_jiffies * jiffy;
	fact_emit(sink, fact);
}

void event_emit(const struct ew_header *header, const struct fact_sink *sink)
{
	const void *record = header;
	const struct ew_scan_socket *row = record;
	const struct ew_scan_holder *holder = record;
	struct fact fact = { .mono = (int64_t)header->ktime_ns };

	switch ((enum ew_event_type)header->type) {
	case EW_TCP_STATE:
	case EW_TCP_OWNER:
		return tcp_emit(record, &fact, sink);
	case EW_FORK:
		return fork_emit(record, &fact, sink);
	case EW_EXEC:
		return exec_emit(record, &fact, sink);
	case EW_EXIT:
		return exit_emit(record, &fact, sink);
	case EW_SIGNAL:
		return signal_emit(record, &fact, sink);
	case EW_MESSAGE:
		return message_emit(record, &fact, sink);
	case EW_SCAN_SOCKET:
		socket_emit(row, &fact, sink);
		return holder_emit(row->cookie, &row->holder, row->fd, &fact, sink);
	case EW_SCAN_HOLDER:
		return holder_emit(holder->cookie, &holder->holder, holder->fd, &fact, sink);
	}
}
