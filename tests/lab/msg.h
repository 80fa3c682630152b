/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_MSG_H
#define LAB_MSG_H

#include "buf.h"
#include "pb.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The protobuf bodies of Mesos' messages (messages.proto, v1/executor.proto, the same
 * numbers in 0.28.3 and 1.11.0) for a node with the resources of a small test cluster.
 */
struct msg_ids {
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *task_id;
	const char *container_id;
	const char *hostname;
	const char *attributes; /* of the agent, as its flag; NULL: none */
	uint16_t port;		/* of the agent */
	const char *launcher_dir;
	const char *command; /* of the task */
	bool checkpoint;     /* of the framework */
	pid_t forked_pid;
};

enum msg_task_state {
	TASK_STARTING = 0,
	TASK_RUNNING = 1,
	TASK_FINISHED = 2,
	TASK_FAILED = 3,
	TASK_KILLED = 4,
	TASK_LOST = 5,
	TASK_STAGING = 6,
};

/* TaskStatus.Reason (include/mesos/mesos.proto, 1.11.0) */
enum msg_reason {
	REASON_NONE = -1,
	REASON_EXECUTOR_TERMINATED = 1,
	REASON_EXECUTOR_REREGISTRATION_TIMEOUT = 24,
};

struct msg_status {
	enum msg_task_state state;
	double timestamp; /* seconds since 1970 */
	unsigned char uuid[16];
	bool by_agent;		/* source SLAVE; else EXECUTOR */
	enum msg_reason reason; /* only with by_agent */
	char message[96];	/* empty: none */
};

const char *msg_state_name(enum msg_task_state state);
const char *msg_reason_name(enum msg_reason reason);
bool msg_state_final(enum msg_task_state state);

/* Where a message goes: resources carry their role only on disk since Mesos 1.4. */
enum msg_form { MSG_WIRE, MSG_DISK, MSG_V1 };

/* The parts that messages and checkpoints are made of. */
void msg_executor_info(struct buf *b, const struct msg_ids *ids, enum msg_form form);
void msg_framework_info(struct buf *b, const struct msg_ids *ids);
void msg_slave_info(struct buf *b, const struct msg_ids *ids, enum msg_form form);
void msg_task(struct buf *b, const struct msg_ids *ids);      /* Task, on disk */
void msg_task_info(struct buf *b, const struct msg_ids *ids); /* TaskInfo, on the wire */
char *msg_executor_name(const struct msg_ids *ids);	      /* malloc'd */

/* v0, executor to agent. */
void msg_register(struct buf *b, const struct msg_ids *ids);
void msg_reregister(struct buf *b, const struct msg_ids *ids, const struct buf *updates, size_t n);
void msg_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status,
		const char *upid);

/* StatusUpdate without its envelope: for msg_reregister() and the record on disk. */
void msg_status_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status,
		       enum msg_form form);

/* v0, agent to executor. */
void msg_registered(struct buf *b, const struct msg_ids *ids);
void msg_reregistered(struct buf *b, const struct msg_ids *ids);
void msg_reconnect(struct buf *b, const struct msg_ids *ids);
void msg_run_task(struct buf *b, const struct msg_ids *ids);
void msg_ack(struct buf *b, const struct msg_ids *ids, const unsigned char uuid[16]);
void msg_kill_task(struct buf *b, const struct msg_ids *ids);

/* StatusUpdateRecord of task.updates: type UPDATE or ACK. */
void msg_record_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status);
void msg_record_ack(struct buf *b, const unsigned char uuid[16]);

/* v1 calls and events. */
enum { CALL_SUBSCRIBE = 1, CALL_UPDATE = 2 };
enum {
	EVENT_SUBSCRIBED = 1,
	EVENT_LAUNCH = 2,
	EVENT_KILL = 3,
	EVENT_ACKNOWLEDGED = 4,
	EVENT_SHUTDOWN = 7
};
/* unacked: n statuses that the agent has not acknowledged. */
void msg_call_subscribe(struct buf *b, const struct msg_ids *ids, const struct msg_status *unacked,
			size_t n);
void msg_call_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status);
void msg_event_subscribed(struct buf *b, const struct msg_ids *ids);
void msg_event_launch(struct buf *b, const struct msg_ids *ids);
void msg_event_acknowledged(struct buf *b, const struct msg_ids *ids, const unsigned char uuid[16]);
void msg_event_kill(struct buf *b, const struct msg_ids *ids);
void msg_event_shutdown(struct buf *b);

/* Reads state, time, source, reason, message and uuid of a TaskStatus; false without a uuid. */
bool msg_get_status(const struct pb_field *task_status, struct msg_status *status);

#endif
