/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/checkpoint.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "mesos/protobuf.h"
#include "mesos/task_state.h"

static int empty(const char *what, struct error *error)
{
	return error_set(error, -ENODATA, "the host crashed while writing it", "%s is empty", what);
}

int mesos_checkpoint_pid(struct mesos_span file, int32_t *pid, struct error *error)
{
	uint64_t value;

	if (file.len == 0)
		return empty("forked.pid", error);
	if (!mesos_span_number(&file, INT32_MAX, &value) || file.len || value == 0)
		return error_set(error, -EBADMSG, NULL, "forked.pid holds no pid");
	*pid = (int32_t)value;
	return 0;
}

int mesos_checkpoint_upid(struct mesos_span file, struct mesos_upid *upid, struct error *error)
{
	if (file.len == 0)
		return empty("the file of a libprocess address", error);
	if (mesos_upid_parse(file, upid) < 0)
		return error_set(error, -EBADMSG, NULL,
				 "no libprocess address such as executor(1)@10.0.0.7:41234");
	return 0;
}

/* random(4): 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(struct mesos_span text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (text.len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (shape[i] == 'x' ? !memchr("0123456789abcdefABCDEF", text.p[i], 22)
				    : text.p[i] != '-')
			return false;
	return true;
}

int mesos_checkpoint_boot_id(struct mesos_span file, struct mesos_span *id, struct error *error)
{
	if (file.len == 0)
		return empty("boot_id", error);
	if (file.p[file.len - 1] == '\n')
		file.len--;
	if (!is_uuid(file))
		return error_set(error, -EBADMSG, NULL, "boot_id holds no UUID");
	*id = file;
	return 0;
}

/* u32 length, then so many bytes. -ENODATA, nothing taken, where there are fewer. */
static int record_take(struct mesos_span *file, struct mesos_span *record)
{
	uint32_t len;

	if (file->len < sizeof(len))
		return -ENODATA;
	memcpy(&len, file->p, sizeof(len));
	if (file->len - sizeof(len) < len)
		return -ENODATA;
	*record = mesos_span_at(file->p + sizeof(len), len);
	*file = mesos_span_at(record->p + len, file->len - sizeof(len) - len);
	return 0;
}

static int info_open(struct mesos_span file, const char *what, struct mesos_span *info,
		     struct error *error)
{
	size_t len = file.len;

	if (len == 0)
		return empty(what, error);
	if (record_take(&file, info) < 0)
		return error_set(error, -EBADMSG, NULL,
				 "%s of %zu bytes ends before its record does", what, len);
	if (protobuf_check(*info) < 0)
		return error_set(error, -EBADMSG, NULL, "%s holds no protobuf", what);
	return 0;
}

/* Field numbers: mesos.proto, the same from 0.28.3 to 1.11.0. */

struct required {
	uint32_t number;
	enum protobuf_type type;
	const char *name;
};

enum { REQUIRED_MAX = 6 };

static const struct {
	const char *name;
	struct required required[REQUIRED_MAX]; /* up to the first without a name */
} infos[] = {
	[MESOS_SLAVE_INFO] = { "slave.info", { { 1, PROTOBUF_BYTES, "host name" } } },
	[MESOS_FRAMEWORK_INFO] = { "framework.info",
				   { { 1, PROTOBUF_BYTES, "user" },
				     { 2, PROTOBUF_BYTES, "name" } } },
	[MESOS_EXECUTOR_INFO] = { "executor.info", { { 1, PROTOBUF_BYTES, "executor id" } } },
	[MESOS_TASK_INFO] = { "task.info",
			      { { 1, PROTOBUF_BYTES, "name" },
				{ 2, PROTOBUF_BYTES, "task id" },
				{ 3, PROTOBUF_BYTES, "framework id" },
				{ 5, PROTOBUF_BYTES, "agent id" },
				{ 6, PROTOBUF_VARINT, "state" } } },
};

const char *mesos_info_name(enum mesos_info which)
{
	return infos[which].name;
}

static bool has_field(struct mesos_span message, const struct required *wanted)
{
	struct protobuf_field field;

	while (protobuf_next(&message, &field) > 0)
		if (field.number == wanted->number && field.type == wanted->type)
			return true;
	return false;
}

/* Opens the record and checks its required fields. */
static int info_read(struct mesos_span file, enum mesos_info which, struct mesos_span *pb,
		     struct error *error)
{
	const struct required *required = infos[which].required;
	int err = info_open(file, infos[which].name, pb, error);

	for (size_t i = 0; !err && i < REQUIRED_MAX && required[i].name; i++)
		if (!has_field(*pb, &required[i]))
			err = error_set(error, -EBADMSG, NULL, "%s lacks its %s", infos[which].name,
					required[i].name);
	return err;
}

int mesos_checkpoint_info(struct mesos_span file, enum mesos_info which, struct error *error)
{
	struct mesos_span pb;

	return info_read(file, which, &pb, error);
}

int mesos_checkpoint_resources(struct mesos_span file, struct error *error)
{
	static const struct required name = { 1, PROTOBUF_BYTES, "name" };
	struct mesos_span record;

	while (file.len && record_take(&file, &record) == 0)
		if (protobuf_check(record) < 0 || !has_field(record, &name))
			return error_set(error, -EBADMSG, NULL, "it holds no resources");
	return 0;
}

int mesos_checkpoint_slave_port(struct mesos_span file, uint16_t *port, struct error *error)
{
	struct mesos_span pb;
	uint64_t value;
	int err = info_open(file, "slave.info", &pb, error);

	if (err < 0)
		return err;
	value = protobuf_varint(pb, 8, 5051);
	if (value == 0 || value > UINT16_MAX)
		return error_set(error, -EBADMSG, NULL, "slave.info holds no port");
	*port = (uint16_t)value;
	return 0;
}

int mesos_checkpoint_task_info(struct mesos_span file, struct mesos_task_info *info,
			       struct error *error)
{
	struct mesos_span pb;
	struct mesos_task_info read = { 0 };
	int err = info_read(file, MESOS_TASK_INFO, &pb, error);

	if (err < 0)
		return err;
	read.name = protobuf_bytes(pb, 1);
	read.task_id = protobuf_id(pb, 2);
	read.framework_id = protobuf_id(pb, 3);
	read.executor_id = protobuf_id(pb, 4);
	read.slave_id = protobuf_id(pb, 5);
	read.state = (uint32_t)protobuf_varint(pb, 6, 0);
	*info = read;
	return 0;
}

static enum mesos_source source_of(uint64_t number)
{
	return number <= MESOS_BY_EXECUTOR ? (enum mesos_source)number : MESOS_BY_UNKNOWN;
}

/* 0 where it is missing, and for what is no time. */
static double double_at(struct mesos_span message, uint32_t number)
{
	double value = protobuf_double(message, number);

	return value > 0 && value < 1e11 ? value : 0;
}

int mesos_checkpoint_update(struct mesos_span *file, struct mesos_update *update,
			    struct error *error)
{
	struct mesos_update read = { 0 };
	struct mesos_span rest = *file;
	struct mesos_span record, body, status;
	uint64_t type;

	if (rest.len == 0)
		return 0;
	if (record_take(&rest, &record) < 0)
		return error_set(error, -ENODATA, NULL, "task.updates ends within a record");
	type = protobuf_varint(record, 1, 2);
	if (protobuf_check(record) < 0 || type > 1)
		return error_set(error, -EBADMSG, NULL, "task.updates holds no status updates");
	body = protobuf_bytes(record, 2);
	status = protobuf_bytes(body, 4);
	read.ack = type == 1;
	read.state = read.ack ? NULL : mesos_task_state(protobuf_varint(status, 2, UINT64_MAX));
	read.source = source_of(protobuf_varint(status, 9, UINT64_MAX));
	read.reason = mesos_task_reason(protobuf_varint(status, 10, UINT64_MAX));
	read.timestamp = double_at(status, 6);
	read.task_id = protobuf_id(status, 1);
	read.uuid = protobuf_bytes(read.ack ? record : body, read.ack ? 3 : 6);
	if (!read.ack && !read.task_id.p)
		return error_set(error, -EBADMSG, NULL, "task.updates has an update of no task");
	*file = rest;
	*update = read;
	return 1;
}
