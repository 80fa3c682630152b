/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "checkpoint.h"
#include "pb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void checkpoint_mkdirs(const char *path)
{
	char *copy = lab_strdup(path);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	if (mkdir(copy, 0755) < 0 && errno != EEXIST)
		lab_die("mkdir '%s': %s", copy, strerror(errno));
	free(copy);
}

/* Through a file XXXXXX beside it, as state::checkpoint() does. */
static void write_atomic(const char *path, const void *data, size_t len)
{
	char *tmp = lab_fmt("%.*s/XXXXXX", (int)(strrchr(path, '/') - path), path);
	int fd = mkostemp(tmp, O_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || rename(tmp, path) < 0)
		lab_die("Failed to checkpoint '%s': %s", path, strerror(errno));
	close(fd);
	free(tmp);
}

static void write_text(const char *dir, const char *name, const char *text)
{
	char *path = lab_fmt("%s/%s", dir, name);

	write_atomic(path, text, strlen(text));
	free(path);
}

/* 4 bytes of length, little-endian, then the message (stout protobuf.hpp). */
static void write_record(const char *dir, const char *name, struct buf *msg)
{
	char *path = lab_fmt("%s/%s", dir, name);
	uint32_t len = msg->len;
	struct buf whole = { 0 };

	buf_add(&whole, &len, sizeof(len));
	buf_add(&whole, msg->data, msg->len);
	write_atomic(path, whole.data, whole.len);
	buf_free(&whole);
	buf_free(msg);
	free(path);
}

static void make_link(const char *dir, const char *name, const char *to)
{
	char *path = lab_fmt("%s/%s", dir, name);

	unlink(path);
	if (symlink(to, path) < 0)
		lab_die("symlink '%s': %s", path, strerror(errno));
	free(path);
}

char *checkpoint_link_name(const char *path)
{
	char target[4096], *slash;
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0 || access(path, F_OK) < 0)
		return NULL;
	target[n] = '\0';
	slash = strrchr(target, '/');
	return lab_strdup(slash ? slash + 1 : target);
}

static char *read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		lab_die("stat '%s': %s", path, strerror(errno));
	text = lab_calloc(1, st.st_size + 64); /* files of /proc have no size */
	if (read(fd, text, st.st_size ? st.st_size : 63) < 0)
		lab_die("read '%s': %s", path, strerror(errno));
	close(fd);
	return text;
}

static char *framework_path(const struct checkpoint_ids *ids, const char *meta)
{
	return lab_fmt("%s%s/slaves/%s/frameworks/%s", ids->work_dir, meta, ids->slave_id,
		       ids->framework_id);
}

static char *executor_path(const struct checkpoint_ids *ids, const char *meta)
{
	char *framework = framework_path(ids, meta);
	char *path = lab_fmt("%s/executors/%s", framework, ids->executor_id);

	free(framework);
	return path;
}

static char *run_path(const struct checkpoint_ids *ids, const char *meta)
{
	char *executor = executor_path(ids, meta);
	char *path = lab_fmt("%s/runs/%s", executor, ids->container_id);

	free(executor);
	return path;
}

char *checkpoint_sandbox(const struct checkpoint_ids *ids)
{
	return run_path(ids, "");
}

char *checkpoint_run_path(const struct checkpoint_ids *ids)
{
	return run_path(ids, "/meta");
}

/* runs/<cid> and runs/latest -> it. */
static void make_run(const struct checkpoint_ids *at, const char *meta)
{
	char *run = run_path(at, meta), *executor = executor_path(at, meta);
	char *runs = lab_fmt("%s/runs", executor);

	checkpoint_mkdirs(run);
	chmod(run, 0750);
	make_link(runs, "latest", run);
	free(run);
	free(executor);
	free(runs);
}

void checkpoint_make_sandbox(const struct checkpoint_ids *at)
{
	make_run(at, "");
}

static char *boot_id(void)
{
	char *id = read_text("/proc/sys/kernel/random/boot_id");

	if (!id)
		return lab_strdup("");
	id[strcspn(id, "\n")] = '\0';
	return id;
}

void checkpoint_boot_id(const char *work_dir)
{
	char *id = boot_id(), *meta = lab_fmt("%s/meta", work_dir);

	write_text(meta, "boot_id", id);
	free(meta);
	free(id);
}

bool checkpoint_same_boot(const char *work_dir)
{
	char *path = lab_fmt("%s/meta/boot_id", work_dir), *old = read_text(path);
	char *now = boot_id();
	bool same = !old || !strcmp(old, now);

	free(path);
	free(old);
	free(now);
	return same;
}

void checkpoint_agent(const char *work_dir, const struct msg_ids *ids)
{
	char *slaves = lab_fmt("%s/meta/slaves", work_dir);
	char *dir = lab_fmt("%s/%s", slaves, ids->slave_id);
	struct buf info = { 0 };

	checkpoint_mkdirs(dir);
	checkpoint_boot_id(work_dir);
	msg_slave_info(&info, ids, MSG_DISK);
	write_record(dir, "slave.info", &info);
	make_link(slaves, "latest", dir);
	free(slaves);
	free(dir);
}

/* Appends ";NAME:VALUE" of an Attribute. */
static char *attribute_add(char *all, const struct pb_field *attribute)
{
	struct pb_field name, value, text = { 0 };
	char *more;

	if (!pb_get(attribute->data, attribute->len, 1, &name) ||
	    !pb_get(attribute->data, attribute->len, 5, &value) ||
	    !pb_get(value.data, value.len, 1, &text))
		return all;
	more = lab_fmt("%s%s%.*s:%.*s", all, *all ? ";" : "", (int)name.len, name.data,
		       (int)text.len, text.data);
	free(all);
	return more;
}

char *checkpoint_attributes(const char *work_dir, const char *slave_id)
{
	char *path = lab_fmt("%s/meta/slaves/%s/slave.info", work_dir, slave_id);
	char *file = read_text(path), *all = lab_strdup("");
	struct pb_field field;
	const char *data;
	uint32_t size = 0;
	size_t len;

	if (file)
		memcpy(&size, file, sizeof(size));
	data = file ? file + sizeof(size) : NULL;
	len = size;
	while (file && pb_next(&data, &len, &field))
		if (field.number == 5 && field.data)
			all = attribute_add(all, &field);
	free(file);
	free(path);
	return all;
}

void checkpoint_executor(const struct checkpoint_ids *at, const struct msg_ids *ids)
{
	char *framework = framework_path(at, "/meta"), *executor = executor_path(at, "/meta");
	struct buf info = { 0 };

	make_run(at, "/meta");
	msg_framework_info(&info, ids);
	write_record(framework, "framework.info", &info);
	write_text(framework, "framework.pid", "@0.0.0.0:0");
	msg_executor_info(&info, ids, MSG_DISK);
	write_record(executor, "executor.info", &info);
	write_text(executor, "executor_generated_for_command_task", "1");
	free(framework);
	free(executor);
}

static char *task_path(const struct checkpoint_ids *at)
{
	char *run = run_path(at, "/meta");
	char *path = lab_fmt("%s/tasks/%s", run, at->executor_id);

	free(run);
	return path;
}

void checkpoint_task(const struct checkpoint_ids *at, const struct msg_ids *ids)
{
	char *dir = task_path(at);
	struct buf task = { 0 };

	checkpoint_mkdirs(dir);
	msg_task(&task, ids);
	write_record(dir, "task.info", &task);
	free(dir);
}

void checkpoint_run_file(const struct checkpoint_ids *at, const char *name, const char *text)
{
	char *run = run_path(at, "/meta"), *pids = lab_fmt("%s/pids", run);

	checkpoint_mkdirs(pids);
	write_text(run, name, text);
	free(pids);
	free(run);
}

char *checkpoint_read_run_file(const struct checkpoint_ids *at, const char *name)
{
	char *run = run_path(at, "/meta"), *path = lab_fmt("%s/%s", run, name);
	char *text = read_text(path);

	free(run);
	free(path);
	return text;
}

void checkpoint_update_record(const struct checkpoint_ids *at, const struct buf *record)
{
	char *dir = task_path(at), *path = lab_fmt("%s/task.updates", dir);
	uint32_t len = record->len;
	struct buf whole = { 0 };
	int fd;

	checkpoint_mkdirs(dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	buf_add(&whole, &len, sizeof(len));
	buf_add(&whole, record->data, record->len);
	if (fd < 0 || write(fd, whole.data, whole.len) != (ssize_t)whole.len)
		lab_die("Failed to write to '%s': %s", path, strerror(errno));
	close(fd);
	buf_free(&whole);
	free(path);
	free(dir);
}

void checkpoint_read(const char *path, struct buf *data)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(data, chunk, n);
	if (fd >= 0)
		close(fd);
}

static bool is_message(const char *data, size_t len)
{
	struct pb_field field;

	while (len)
		if (!pb_next(&data, &len, &field))
			return false;
	return true;
}

static bool has_field(const char *data, size_t len, unsigned int number)
{
	struct pb_field field;

	while (pb_next(&data, &len, &field))
		if (field.number == number)
			return true;
	return false;
}

static bool has_record(const struct buf *data, uint32_t *len)
{
	if (data->len < sizeof(*len))
		return false;
	memcpy(len, data->data, sizeof(*len));
	return data->len - sizeof(*len) >= *len;
}

enum checkpoint_state checkpoint_message(const char *path, const unsigned int *required)
{
	struct buf data = { 0 };
	enum checkpoint_state state;
	uint32_t len;
	bool whole;

	checkpoint_read(path, &data);
	whole = has_record(&data, &len) && is_message(data.data + 4, len);
	for (; whole && *required; required++)
		whole = has_field(data.data + 4, len, *required);
	state = whole ? CHECKPOINT_READ : data.len ? CHECKPOINT_DAMAGED : CHECKPOINT_NONE;
	buf_free(&data);
	return state;
}

enum checkpoint_state checkpoint_records(const char *path)
{
	enum checkpoint_state state = CHECKPOINT_NONE;
	struct buf data = { 0 };
	uint32_t len;

	checkpoint_read(path, &data);
	while (state != CHECKPOINT_DAMAGED && has_record(&data, &len)) {
		state = is_message(data.data + 4, len) ? CHECKPOINT_READ : CHECKPOINT_DAMAGED;
		buf_drop(&data, 4 + len);
	}
	buf_free(&data);
	return state;
}

/* StatusUpdateRecord { 2: StatusUpdate { 4: TaskStatus } } */
static void take_record(const char *data, size_t len, struct msg_status *status)
{
	struct pb_field update, task_status;
	struct msg_status found = { 0 };

	if (pb_get(data, len, 2, &update) && pb_get(update.data, update.len, 4, &task_status) &&
	    msg_get_status(&task_status, &found))
		*status = found;
}

struct msg_status checkpoint_read_status(const struct checkpoint_ids *at)
{
	struct msg_status status = { .state = TASK_STAGING };
	char *dir = task_path(at), *path = lab_fmt("%s/task.updates", dir);
	struct buf data = { 0 };
	uint32_t len;

	checkpoint_read(path, &data);
	while (has_record(&data, &len)) {
		take_record(data.data + 4, len, &status);
		buf_drop(&data, 4 + len);
	}
	buf_free(&data);
	free(path);
	free(dir);
	return status;
}
