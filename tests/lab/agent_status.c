/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Slave::statusUpdate() and the task status update manager. */
#include "agent.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

struct msg_status agent_made_status(enum msg_task_state state, enum msg_reason reason,
				    const char *message)
{
	struct msg_status status = {
		.state = state, .timestamp = wall_time(), .by_agent = true, .reason = reason
	};

	snprintf(status.message, sizeof(status.message), "%s", message);
	if (getrandom(status.uuid, sizeof(status.uuid), 0) < 0)
		lab_die("getrandom: %s", strerror(errno));
	return status;
}

static void note_status(struct container *c, const struct msg_status *status)
{
	size_t max = sizeof(c->history) / sizeof(c->history[0]);

	c->status = *status;
	c->agent->valid_updates++;
	if (c->n_history == max)
		memmove(c->history, c->history + 1, (--c->n_history) * sizeof(c->history[0]));
	c->history[c->n_history++] = *status;
	if (status->state == TASK_RUNNING)
		agent_notify(c->agent, "task %s", c->container_id);
}

/* UPDATE, and the framework's ACK if it has one: task.updates. */
static void record_status(struct container *c, const struct msg_status *status)
{
	struct msg_ids ids = agent_ids(c);
	struct checkpoint_ids at = agent_paths(c);
	struct buf b = { 0 };

	c->acked = !c->l || launch_is(c->l->acks, "yes");
	if (!c->checkpoint)
		return;
	msg_record_update(&b, &ids, status);
	checkpoint_update_record(&at, &b);
	buf_free(&b);
	if (!c->acked)
		return;
	msg_record_ack(&b, status->uuid);
	checkpoint_update_record(&at, &b);
	buf_free(&b);
}

/* To the executor, once the update is on disk; the framework's own is another matter. */
static void acknowledge(struct container *c, const struct msg_status *status)
{
	struct msg_ids ids = agent_ids(c);
	struct buf b = { 0 }, out = { 0 };

	if (c->http && c->stream) {
		msg_event_acknowledged(&b, &ids, status->uuid);
		wire_record_chunk(&out, &b);
		conn_send_buf(c->stream, &out);
		buf_free(&b);
	} else if (!c->http) {
		msg_ack(&b, &ids, status->uuid);
		agent_send(c, "StatusUpdateAcknowledgementMessage", &b);
	}
}

/* mode=disconnected: the link is ended from our side once the task runs. */
static void maybe_disconnect(struct container *c)
{
	struct conn *from = c->from;

	if (!c->l || !launch_is(c->l->mode, "disconnected") || c->status.state != TASK_RUNNING)
		return;
	agent_forget_conn(c->agent, from);
	conn_close(from);
}

static bool is_known(const struct container *c, const struct msg_status *status)
{
	for (size_t i = 0; i < c->n_history; i++)
		if (!memcmp(c->history[i].uuid, status->uuid, sizeof(status->uuid)))
			return true;
	return false;
}

void agent_take_status(struct container *c, const struct msg_status *status)
{
	if (c->framework_ends) {
		agent_log(c->agent, 'W', "slave.cpp:6010",
			  "Ignoring status update %s for task %s of terminating framework %s",
			  msg_state_name(status->state), c->executor_id, c->framework_id);
		return;
	}
	agent_log(c->agent, 'I', "slave.cpp:5992",
		  "Handling status update %s for task %s of framework %s",
		  msg_state_name(status->state), c->executor_id, c->framework_id);
	if (!is_known(c, status)) {
		note_status(c, status);
		record_status(c, status);
	}
	acknowledge(c, status);
	maybe_disconnect(c);
}

/* Slave::sendExecutorTerminatedStatusUpdate() */
void agent_report_end(struct container *c)
{
	struct msg_status status = c->pending;

	if (msg_state_final(c->status.state) || !c->launched_task)
		return;
	if (!*status.message)
		status = agent_made_status(TASK_FAILED, REASON_EXECUTOR_TERMINATED,
					   "Executor terminated");
	note_status(c, &status);
	if (c->framework_ends) /* no framework is left to be told */
		c->acked = true;
	else
		record_status(c, &status);
}
