/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCALAR = 0, RANGES = 1, SOURCE_SLAVE = 1, SOURCE_EXECUTOR = 2 };

const char *msg_state_name(enum msg_task_state state)
{
	static const char *const names[] = {
		[TASK_STARTING] = "TASK_STARTING", [TASK_RUNNING] = "TASK_RUNNING",
		[TASK_FINISHED] = "TASK_FINISHED", [TASK_FAILED] = "TASK_FAILED",
		[TASK_KILLED] = "TASK_KILLED",	   [TASK_LOST] = "TASK_LOST",
		[TASK_STAGING] = "TASK_STAGING",
	};

	return names[state];
}

const char *msg_reason_name(enum msg_reason reason)
{
	return reason == REASON_EXECUTOR_TERMINATED ? "REASON_EXECUTOR_TERMINATED"
						    : "REASON_EXECUTOR_REREGISTRATION_TIMEOUT";
}

bool msg_state_final(enum msg_task_state state)
{
	return state >= TASK_FINISHED && state <= TASK_LOST;
}

/* allocated: given to a framework. */
static void put_scalar(struct buf *b, unsigned int field, const char *name, double value,
		       enum msg_form form, bool allocated)
{
	struct buf r = { 0 }, scalar = { 0 }, role = { 0 };

	pb_str(&r, 1, name);
	pb_varint(&r, 2, SCALAR);
	pb_double(&scalar, 1, value);
	pb_sub(&r, 3, &scalar);
	if (form == MSG_DISK)
		pb_str(&r, 6, "*");
	if (allocated) {
		pb_str(&role, 1, "*");
		pb_sub(&r, 11, &role);
	}
	pb_sub(b, field, &r);
}

static void put_ports(struct buf *b, unsigned int field, enum msg_form form)
{
	struct buf r = { 0 }, ranges = { 0 }, range = { 0 };

	pb_str(&r, 1, "ports");
	pb_varint(&r, 2, RANGES);
	pb_varint(&range, 1, 31000);
	pb_varint(&range, 2, 32000);
	pb_sub(&ranges, 1, &range);
	pb_sub(&r, 4, &ranges);
	if (form == MSG_DISK)
		pb_str(&r, 6, "*");
	pb_sub(b, field, &r);
}

/* "Command Executor (Task: ID) (Command: sh -c 'first twelve...')", as slave.cpp makes it. */
char *msg_executor_name(const struct msg_ids *ids)
{
	bool cut = strlen(ids->command) > 15;

	return lab_fmt("Command Executor (Task: %s) (Command: sh -c '%.*s%s')", ids->task_id,
		       cut ? 12 : 15, ids->command, cut ? "..." : "");
}

void msg_executor_info(struct buf *b, const struct msg_ids *ids, enum msg_form form)
{
	struct buf cmd = { 0 };
	char *path = lab_fmt("%s/mesos-executor", ids->launcher_dir);
	char *dir = lab_fmt("--launcher_dir=%s", ids->launcher_dir);
	char *name = msg_executor_name(ids);

	pb_id(b, 1, ids->executor_id);
	put_scalar(b, 5, "cpus", 0.1, form, true);
	put_scalar(b, 5, "mem", 32, form, true);
	pb_str(&cmd, 3, path);
	pb_varint(&cmd, 6, 0);
	pb_str(&cmd, 7, "mesos-executor");
	pb_str(&cmd, 7, dir);
	pb_sub(b, 7, &cmd);
	pb_id(b, 8, ids->framework_id);
	pb_str(b, 9, name);
	pb_str(b, 10, ids->task_id);
	free(path);
	free(dir);
	free(name);
}

void msg_framework_info(struct buf *b, const struct msg_ids *ids)
{
	/* RESERVATION_REFINEMENT, TASK_KILLING_STATE, REVOCABLE_RESOURCES, PARTITION_AWARE */
	static const unsigned int capabilities[] = { 7, 2, 1, 5 };

	pb_str(b, 1, "root");
	pb_str(b, 2, "mesos-execute instance");
	pb_id(b, 3, ids->framework_id);
	pb_double(b, 4, 604800);
	pb_varint(b, 5, ids->checkpoint);
	pb_str(b, 6, "*");
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		struct buf cap = { 0 };

		pb_varint(&cap, 1, capabilities[i]);
		pb_sub(b, 10, &cap);
	}
}

/* "rack:r1;zone:z" as Attributes of type TEXT. */
static void put_attributes(struct buf *b, const char *attributes)
{
	for (const char *at = attributes; at && *at; at += strspn(at, ";")) {
		size_t len = strcspn(at, ";"), name = strcspn(at, ":");
		struct buf one = { 0 }, value = { 0 };

		if (name < len) {
			pb_bytes(&one, 1, at, name);
			pb_varint(&one, 2, 3);
			pb_bytes(&value, 1, at + name + 1, len - name - 1);
			pb_sub(&one, 5, &value);
			pb_sub(b, 5, &one);
		}
		at += len;
	}
}

void msg_slave_info(struct buf *b, const struct msg_ids *ids, enum msg_form form)
{
	pb_str(b, 1, ids->hostname);
	put_scalar(b, 3, "cpus", 8, form, false);
	put_scalar(b, 3, "mem", 8192, form, false);
	put_scalar(b, 3, "disk", 20000, form, false);
	put_ports(b, 3, form);
	if (form == MSG_DISK)
		put_attributes(b, ids->attributes);
	pb_id(b, 6, ids->slave_id);
	if (form == MSG_V1) {
		/* v1 has no `checkpoint`; it goes along as an unknown field, at the end. */
		pb_varint(b, 8, ids->port);
		pb_varint(b, 7, 1);
		return;
	}
	pb_varint(b, 7, 1);
	pb_varint(b, 8, ids->port);
}

static void put_task_resources(struct buf *b, unsigned int field, enum msg_form form)
{
	put_scalar(b, field, "cpus", 0.1, form, true);
	put_scalar(b, field, "mem", 32, form, true);
	put_scalar(b, field, "disk", 16, form, true);
}

void msg_task(struct buf *b, const struct msg_ids *ids)
{
	pb_str(b, 1, ids->task_id);
	pb_id(b, 2, ids->task_id);
	pb_id(b, 3, ids->framework_id);
	pb_id(b, 5, ids->slave_id);
	pb_varint(b, 6, TASK_STAGING);
	put_task_resources(b, 7, MSG_DISK);
}

void msg_task_info(struct buf *b, const struct msg_ids *ids)
{
	struct buf cmd = { 0 };

	pb_str(b, 1, ids->task_id);
	pb_id(b, 2, ids->task_id);
	pb_id(b, 3, ids->slave_id);
	put_task_resources(b, 4, MSG_WIRE);
	pb_str(&cmd, 3, ids->command);
	pb_varint(&cmd, 6, 1);
	pb_sub(b, 7, &cmd);
}

void msg_register(struct buf *b, const struct msg_ids *ids)
{
	pb_id(b, 1, ids->framework_id);
	pb_id(b, 2, ids->executor_id);
}

/* updates: n encoded StatusUpdates that nobody has acknowledged. */
void msg_reregister(struct buf *b, const struct msg_ids *ids, const struct buf *updates, size_t n)
{
	pb_id(b, 1, ids->executor_id);
	pb_id(b, 2, ids->framework_id);
	for (size_t i = 0; i < n; i++)
		pb_bytes(b, 4, updates[i].data, updates[i].len);
}

/* What the agent adds before it writes a status to disk. */
static void put_container_status(struct buf *b, const struct msg_ids *ids)
{
	struct buf status = { 0 }, net = { 0 }, ip = { 0 };

	pb_str(&ip, 2, ids->hostname);
	pb_sub(&net, 5, &ip);
	pb_sub(&status, 1, &net);
	pb_varint(&status, 3, ids->forked_pid);
	pb_id(&status, 4, ids->container_id);
	pb_sub(b, 13, &status);
}

static void put_task_status(struct buf *b, unsigned int field, const struct msg_ids *ids,
			    const struct msg_status *status, enum msg_form form)
{
	struct buf s = { 0 };

	pb_id(&s, 1, ids->task_id);
	pb_varint(&s, 2, status->state);
	if (*status->message)
		pb_str(&s, 4, status->message);
	if (form != MSG_V1)
		pb_id(&s, 5, ids->slave_id);
	pb_double(&s, 6, status->timestamp);
	pb_id(&s, 7, ids->executor_id);
	pb_varint(&s, 9, status->by_agent ? SOURCE_SLAVE : SOURCE_EXECUTOR);
	if (status->by_agent && status->reason != REASON_NONE)
		pb_varint(&s, 10, status->reason);
	pb_bytes(&s, 11, status->uuid, sizeof(status->uuid));
	if (form == MSG_DISK)
		put_container_status(&s, ids);
	pb_sub(b, field, &s);
}

void msg_status_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status,
		       enum msg_form form)
{
	pb_id(b, 1, ids->framework_id);
	pb_id(b, 2, ids->executor_id);
	pb_id(b, 3, ids->slave_id);
	put_task_status(b, 4, ids, status, form);
	pb_double(b, 5, status->timestamp);
	pb_bytes(b, 6, status->uuid, sizeof(status->uuid));
}

void msg_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status,
		const char *upid)
{
	struct buf update = { 0 };

	msg_status_update(&update, ids, status, MSG_WIRE);
	pb_sub(b, 1, &update);
	pb_str(b, 2, upid);
}

void msg_registered(struct buf *b, const struct msg_ids *ids)
{
	struct buf executor = { 0 }, framework = { 0 }, slave = { 0 };

	msg_executor_info(&executor, ids, MSG_WIRE);
	msg_framework_info(&framework, ids);
	msg_slave_info(&slave, ids, MSG_WIRE);
	pb_sub(b, 2, &executor);
	pb_id(b, 3, ids->framework_id);
	pb_sub(b, 4, &framework);
	pb_id(b, 5, ids->slave_id);
	pb_sub(b, 6, &slave);
}

void msg_reregistered(struct buf *b, const struct msg_ids *ids)
{
	struct buf slave = { 0 };

	pb_id(b, 1, ids->slave_id);
	msg_slave_info(&slave, ids, MSG_WIRE);
	pb_sub(b, 2, &slave);
}

void msg_reconnect(struct buf *b, const struct msg_ids *ids)
{
	pb_id(b, 1, ids->slave_id);
}

void msg_run_task(struct buf *b, const struct msg_ids *ids)
{
	struct buf framework = { 0 }, task = { 0 };

	msg_framework_info(&framework, ids);
	pb_sub(b, 2, &framework);
	pb_str(b, 3, "@0.0.0.0:0");
	msg_task_info(&task, ids);
	pb_sub(b, 4, &task);
}

void msg_ack(struct buf *b, const struct msg_ids *ids, const unsigned char uuid[16])
{
	pb_id(b, 1, ids->slave_id);
	pb_id(b, 2, ids->framework_id);
	pb_id(b, 3, ids->task_id);
	pb_bytes(b, 4, uuid, 16);
}

void msg_kill_task(struct buf *b, const struct msg_ids *ids)
{
	pb_id(b, 1, ids->framework_id);
	pb_id(b, 2, ids->task_id);
}

void msg_record_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status)
{
	struct buf update = { 0 };

	pb_varint(b, 1, 0);
	msg_status_update(&update, ids, status, MSG_DISK);
	pb_sub(b, 2, &update);
}

void msg_record_ack(struct buf *b, const unsigned char uuid[16])
{
	pb_varint(b, 1, 1);
	pb_bytes(b, 3, uuid, 16);
}

void msg_call_subscribe(struct buf *b, const struct msg_ids *ids, const struct msg_status *unacked,
			size_t n)
{
	struct buf subscribe = { 0 };

	pb_id(b, 1, ids->executor_id);
	pb_id(b, 2, ids->framework_id);
	pb_varint(b, 3, CALL_SUBSCRIBE);
	for (size_t i = 0; i < n; i++) {
		struct buf update = { 0 };

		put_task_status(&update, 1, ids, &unacked[i], MSG_V1);
		pb_sub(&subscribe, 2, &update);
	}
	pb_bytes(b, 4, n ? subscribe.data : "", subscribe.len);
	buf_free(&subscribe);
}

void msg_call_update(struct buf *b, const struct msg_ids *ids, const struct msg_status *status)
{
	struct buf update = { 0 };

	pb_id(b, 1, ids->executor_id);
	pb_id(b, 2, ids->framework_id);
	pb_varint(b, 3, CALL_UPDATE);
	put_task_status(&update, 1, ids, status, MSG_V1);
	pb_sub(b, 5, &update);
}

void msg_event_subscribed(struct buf *b, const struct msg_ids *ids)
{
	struct buf executor = { 0 }, framework = { 0 }, agent = { 0 }, subscribed = { 0 };

	msg_executor_info(&executor, ids, MSG_V1);
	msg_framework_info(&framework, ids);
	msg_slave_info(&agent, ids, MSG_V1);
	pb_sub(&subscribed, 1, &executor);
	pb_sub(&subscribed, 2, &framework);
	pb_sub(&subscribed, 3, &agent);
	pb_id(&subscribed, 4, ids->container_id);
	pb_varint(b, 1, EVENT_SUBSCRIBED);
	pb_sub(b, 2, &subscribed);
}

void msg_event_launch(struct buf *b, const struct msg_ids *ids)
{
	struct buf launch = { 0 }, task = { 0 };

	msg_task_info(&task, ids);
	pb_sub(&launch, 1, &task);
	pb_varint(b, 1, EVENT_LAUNCH);
	pb_sub(b, 4, &launch);
}

void msg_event_acknowledged(struct buf *b, const struct msg_ids *ids, const unsigned char uuid[16])
{
	struct buf acknowledged = { 0 };

	pb_id(&acknowledged, 1, ids->task_id);
	pb_bytes(&acknowledged, 2, uuid, 16);
	pb_varint(b, 1, EVENT_ACKNOWLEDGED);
	pb_sub(b, 3, &acknowledged);
}

void msg_event_kill(struct buf *b, const struct msg_ids *ids)
{
	struct buf kill = { 0 };

	pb_id(&kill, 1, ids->task_id);
	pb_varint(b, 1, EVENT_KILL);
	pb_sub(b, 5, &kill);
}

void msg_event_shutdown(struct buf *b)
{
	pb_varint(b, 1, EVENT_SHUTDOWN);
}

bool msg_get_status(const struct pb_field *task_status, struct msg_status *status)
{
	const char *data = task_status->data;
	size_t len = task_status->len;
	struct pb_field f;
	bool have_uuid = false;

	while (pb_next(&data, &len, &f)) {
		if (f.number == 2)
			status->state = f.value;
		if (f.number == 4)
			snprintf(status->message, sizeof(status->message), "%.*s", (int)f.len,
				 f.data);
		if (f.number == 6)
			memcpy(&status->timestamp, &f.value, sizeof(status->timestamp));
		if (f.number == 9)
			status->by_agent = f.value == SOURCE_SLAVE;
		if (f.number == 10)
			status->reason = f.value;
		if (f.number == 11 && f.len == sizeof(status->uuid)) {
			memcpy(status->uuid, f.data, f.len);
			have_uuid = true;
		}
	}
	return have_uuid && status->state <= TASK_STAGING;
}
