/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/checkpoint.h"

#include <errno.h>
#include <string.h>

#include "fail.h"
#include "mesos/pb.h"

#define N_FILES 4

/* The tree, from the top: a directory for each kind of thing, in it a directory for each id. */
static const struct level {
	const char *dir;
	enum mesos_checkpoint_kind self;
	enum mesos_checkpoint_kind latest; /* a link of that name beside the ids; OTHER: none */
	size_t id;			   /* where in struct mesos_checkpoint */
	struct {
		const char *path;
		enum mesos_checkpoint_kind kind;
	} files[N_FILES];
} levels[] = {
#define AT(field) offsetof(struct mesos_checkpoint, field)
	{"slaves",
	 MESOS_CHECKPOINT_SLAVE,
	 MESOS_CHECKPOINT_SLAVE_LATEST,
	 AT(slave_id),
	 {{"slave.info", MESOS_CHECKPOINT_SLAVE_INFO}}},
	{"frameworks",
	 MESOS_CHECKPOINT_FRAMEWORK,
	 MESOS_CHECKPOINT_OTHER,
	 AT(framework_id),
	 {{"framework.info", MESOS_CHECKPOINT_FRAMEWORK_INFO},
	  {"framework.pid", MESOS_CHECKPOINT_FRAMEWORK_PID}}},
	{"executors",
	 MESOS_CHECKPOINT_EXECUTOR,
	 MESOS_CHECKPOINT_OTHER,
	 AT(executor_id),
	 {{"executor.info", MESOS_CHECKPOINT_EXECUTOR_INFO}}},
	{"runs",
	 MESOS_CHECKPOINT_RUN,
	 MESOS_CHECKPOINT_RUN_LATEST,
	 AT(container_id),
	 {{"executor.sentinel", MESOS_CHECKPOINT_SENTINEL},
	  {"http.marker", MESOS_CHECKPOINT_HTTP_MARKER},
	  {"pids/forked.pid", MESOS_CHECKPOINT_FORKED_PID},
	  {"pids/libprocess.pid", MESOS_CHECKPOINT_LIBPROCESS_PID}}},
	{"tasks",
	 MESOS_CHECKPOINT_TASK,
	 MESOS_CHECKPOINT_OTHER,
	 AT(task_id),
	 {{"task.info", MESOS_CHECKPOINT_TASK_INFO},
	  {"task.updates", MESOS_CHECKPOINT_TASK_UPDATES}}},
#undef AT
};

/* Takes the first part of the path; false where it is empty. */
static bool part_take(struct mesos_span *path, struct mesos_span *part)
{
	if (!mesos_span_cut(path, '/', part)) {
		*part = *path;
		*path = mesos_span_at(part->p + part->len, 0);
	}
	return part->len > 0;
}

static enum mesos_checkpoint_kind file_kind(const struct level *level, struct mesos_span path)
{
	for (size_t i = 0; i < N_FILES && level->files[i].path; i++)
		if (mesos_span_is(path, level->files[i].path))
			return level->files[i].kind;
	return MESOS_CHECKPOINT_OTHER;
}

static enum mesos_checkpoint_kind level_kind(const struct level *level, struct mesos_span path,
					     struct mesos_span *id)
{
	if (path.len)
		return file_kind(level, path);
	if (level->latest == MESOS_CHECKPOINT_OTHER || !mesos_span_is(*id, "latest"))
		return level->self;
	*id = mesos_span_of(NULL);
	return level->latest;
}

void mesos_checkpoint_classify(struct mesos_span path, struct mesos_checkpoint *out)
{
	struct mesos_span dir;

	memset(out, 0, sizeof(*out));
	if (!path.p)
		return;
	if (mesos_span_is(path, "boot_id")) {
		out->kind = MESOS_CHECKPOINT_BOOT_ID;
		return;
	}
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		struct mesos_span *id = (struct mesos_span *)((char *)out + levels[i].id);
		struct mesos_span part;

		if (!part_take(&path, &dir) || !mesos_span_is(dir, levels[i].dir) ||
		    !part_take(&path, &part))
			return;
		*id = part;
		out->kind = level_kind(&levels[i], path, id);
		if (out->kind != MESOS_CHECKPOINT_OTHER)
			return;
	}
}

static int empty(const char *what, struct fail *why)
{
	return fail_set(why, -ENODATA, "the host crashed while writing it", "%s is empty", what);
}

int mesos_checkpoint_pid(struct mesos_span file, int32_t *pid, struct fail *why)
{
	uint64_t value;

	if (file.len == 0)
		return empty("forked.pid", why);
	if (!mesos_span_number(&file, INT32_MAX, &value) || file.len || value == 0)
		return fail_set(why, -EBADMSG, NULL, "forked.pid holds no pid");
	*pid = (int32_t)value;
	return 0;
}

int mesos_checkpoint_upid(struct mesos_span file, struct mesos_upid *upid, struct fail *why)
{
	if (file.len == 0)
		return empty("the file of a libprocess address", why);
	if (mesos_upid_parse(file, upid) < 0)
		return fail_set(why, -EBADMSG, NULL,
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

int mesos_checkpoint_boot_id(struct mesos_span file, struct mesos_span *id, struct fail *why)
{
	if (file.len == 0)
		return empty("boot_id", why);
	if (file.p[file.len - 1] == '\n')
		file.len--;
	if (!is_uuid(file))
		return fail_set(why, -EBADMSG, NULL, "boot_id holds no UUID");
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
		     struct fail *why)
{
	size_t len = file.len;

	if (len == 0)
		return empty(what, why);
	if (record_take(&file, info) < 0)
		return fail_set(why, -EBADMSG, NULL, "%s of %zu bytes ends before its record does",
				what, len);
	if (mesos_pb_check(*info) < 0)
		return fail_set(why, -EBADMSG, NULL, "%s holds no protobuf", what);
	return 0;
}

static int lacks(const char *what, const char *field, struct fail *why)
{
	return fail_set(why, -EBADMSG, NULL, "%s lacks its %s", what, field);
}

/* Field numbers: mesos.proto, the same from 0.28.3 to 1.11.0. */

int mesos_checkpoint_slave_info(struct mesos_span file, struct mesos_slave_info *info,
				struct fail *why)
{
	struct mesos_span pb;
	struct mesos_slave_info read = {0};
	uint64_t port;
	int err = info_open(file, "slave.info", &pb, why);

	if (err < 0)
		return err;
	port = mesos_pb_varint(pb, 8, 5051);
	if (port > UINT16_MAX)
		return fail_set(why, -EBADMSG, NULL, "slave.info has no port");
	read.id = mesos_pb_id(pb, 6);
	read.hostname = mesos_pb_bytes(pb, 1);
	read.port = (uint16_t)port;
	read.checkpoint = mesos_pb_varint(pb, 7, 0);
	if (!read.hostname.p)
		return lacks("slave.info", "hostname", why);
	*info = read;
	return 0;
}

int mesos_checkpoint_framework_info(struct mesos_span file, struct mesos_framework_info *info,
				    struct fail *why)
{
	struct mesos_span pb;
	struct mesos_framework_info read = {0};
	int err = info_open(file, "framework.info", &pb, why);

	if (err < 0)
		return err;
	read.user = mesos_pb_bytes(pb, 1);
	read.name = mesos_pb_bytes(pb, 2);
	read.id = mesos_pb_id(pb, 3);
	read.checkpoint = mesos_pb_varint(pb, 5, 0);
	if (!read.id.p)
		return lacks("framework.info", "framework id", why);
	*info = read;
	return 0;
}

int mesos_checkpoint_executor_info(struct mesos_span file, struct mesos_executor_info *info,
				   struct fail *why)
{
	struct mesos_span pb;
	struct mesos_executor_info read = {0};
	int err = info_open(file, "executor.info", &pb, why);

	if (err < 0)
		return err;
	read.executor_id = mesos_pb_id(pb, 1);
	read.command = mesos_pb_bytes(mesos_pb_bytes(pb, 7), 3);
	read.framework_id = mesos_pb_id(pb, 8);
	read.name = mesos_pb_bytes(pb, 9);
	read.source = mesos_pb_bytes(pb, 10);
	if (!read.executor_id.p)
		return lacks("executor.info", "executor id", why);
	*info = read;
	return 0;
}

int mesos_checkpoint_task_info(struct mesos_span file, struct mesos_task_info *info,
			       struct fail *why)
{
	struct mesos_span pb;
	struct mesos_task_info read = {0};
	int err = info_open(file, "task.info", &pb, why);

	if (err < 0)
		return err;
	read.name = mesos_pb_bytes(pb, 1);
	read.task_id = mesos_pb_id(pb, 2);
	read.framework_id = mesos_pb_id(pb, 3);
	read.executor_id = mesos_pb_id(pb, 4);
	read.slave_id = mesos_pb_id(pb, 5);
	read.state = (uint32_t)mesos_pb_varint(pb, 6, 0);
	if (!read.task_id.p)
		return lacks("task.info", "task id", why);
	*info = read;
	return 0;
}

int mesos_checkpoint_update(struct mesos_span *file, struct mesos_update *update, struct fail *why)
{
	struct mesos_update read = {0};
	struct mesos_span rest = *file;
	struct mesos_span record, body, status;
	uint64_t type;

	if (rest.len == 0)
		return 0;
	if (record_take(&rest, &record) < 0)
		return fail_set(why, -ENODATA, NULL, "task.updates ends within a record");
	type = mesos_pb_varint(record, 1, 2);
	if (mesos_pb_check(record) < 0 || type > 1)
		return fail_set(why, -EBADMSG, NULL, "task.updates holds no status updates");
	body = mesos_pb_bytes(record, 2);
	status = mesos_pb_bytes(body, 4);
	read.ack = type == 1;
	read.state = (uint32_t)mesos_pb_varint(status, 2, 0);
	read.task_id = mesos_pb_id(status, 1);
	read.uuid = mesos_pb_bytes(read.ack ? record : body, read.ack ? 3 : 6);
	if (!read.ack && !read.task_id.p)
		return fail_set(why, -EBADMSG, NULL, "task.updates has an update of no task");
	*file = rest;
	*update = read;
	return 1;
}
