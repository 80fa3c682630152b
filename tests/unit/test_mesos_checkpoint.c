/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's checkpoints: what is in them, whole and damaged. */
#include "mesos_data.h"

#include <errno.h>

#include "base/addr.h"
#include "base/error.h"
#include "mesos/checkpoint.h"
#include "mesos/protobuf.h"
#include "mesos/task_state.h"

#define SID  "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0"
#define FID  "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000"
#define CID  "70c332d8-b506-4f13-a492-4cd514dc0924"
#define META DATA "meta/"
#define WEB  META "slaves/" SID "/frameworks/" FID "/executors/web/"

static void pids(void **state)
{
	static const struct {
		const char *text;
		int err;
		int32_t pid;
	} rows[] = {
		{ "21315", 0, 21315 },		{ "1", 0, 1 },
		{ "2147483647", 0, INT32_MAX }, { "", -ENODATA, 0 },
		{ "0", -EBADMSG, 0 },		{ "-1", -EBADMSG, 0 },
		{ "12\n", -EBADMSG, 0 },	{ "2147483648", -EBADMSG, 0 },
		{ "12 13", -EBADMSG, 0 },	{ "x", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span file = data_copy(rows[i].text, strlen(rows[i].text));
		struct error error = { 0 };
		int32_t pid = 0;

		assert_int_equal(mesos_checkpoint_pid(file, &pid, &error), rows[i].err);
		assert_int_equal(pid, rows[i].pid);
		assert_int_equal(error.code, rows[i].err);
		assert_int_equal(error.message[0] != '\0', rows[i].err != 0);
		data_free(file);
	}
}

static void real_small_files(void **state)
{
	struct mesos_span file = data_read(WEB "runs/" CID "/pids/libprocess.pid");
	struct mesos_upid upid;
	struct mesos_span id;
	char buf[ADDR_TEXT_MAX];
	int32_t pid;

	(void)state;
	assert_int_equal(mesos_checkpoint_upid(file, &upid, NULL), 0);
	assert_span(upid.id, "executor(1)");
	assert_string_equal(addr_text(&upid.addr, buf), "127.0.0.1:42593");
	data_free(file);
	file = data_read(META "slaves/" SID "/frameworks/" FID "/framework.pid");
	assert_int_equal(mesos_checkpoint_upid(file, &upid, NULL), 0);
	assert_int_equal(upid.addr.port, 0);
	data_free(file);
	file = data_read(WEB "runs/" CID "/pids/forked.pid");
	assert_int_equal(mesos_checkpoint_pid(file, &pid, NULL), 0);
	assert_int_equal(pid, 21315);
	data_free(file);
	file = data_read(META "boot_id");
	assert_int_equal(mesos_checkpoint_boot_id(file, &id, NULL), 0);
	assert_span(id, "950f96e0-5a7f-4bbe-bc8e-e9c05c549769");
	for (size_t n = 1; n < file.len; n++) {
		struct mesos_span cut = data_copy(file.p, n);

		assert_int_equal(mesos_checkpoint_boot_id(cut, &id, NULL), -EBADMSG);
		assert_int_equal(mesos_checkpoint_upid(cut, &upid, NULL), -EBADMSG);
		data_free(cut);
	}
	data_free(file);
	assert_int_equal(mesos_checkpoint_boot_id(mesos_span_of(""), &id, NULL), -ENODATA);
	assert_int_equal(mesos_checkpoint_upid(mesos_span_of(""), &upid, NULL), -ENODATA);
	assert_int_equal(
		mesos_checkpoint_boot_id(mesos_span_of("950f96e0-5a7f-4bbe-bc8e-e9c05c549769\n"),
					 &id, NULL),
		0);
}

static void real_slave_info(void **state)
{
	struct mesos_span file = data_read(META "slaves/" SID "/slave.info");
	struct error error = { 0 };
	uint16_t port = 0;

	(void)state;
	assert_int_equal(mesos_checkpoint_slave_port(file, &port, NULL), 0);
	assert_int_equal(port, 5051);
	for (size_t n = 1; n < file.len; n++)
		assert_int_equal(
			mesos_checkpoint_slave_port(mesos_span_at(file.p, n), &port, &error),
			-EBADMSG);
	data_free(file);
	assert_int_equal(mesos_checkpoint_slave_port(mesos_span_of(""), &port, NULL), -ENODATA);
	/* Without the field: mesos.proto's default. With 70000: no port. */
	assert_int_equal(
		mesos_checkpoint_slave_port(mesos_span_at("\x03\0\0\0\x0a\x01h", 7), &port, NULL),
		0);
	assert_int_equal(port, 5051);
	assert_int_equal(mesos_checkpoint_slave_port(mesos_span_at("\x04\0\0\0\x40\xf0\xa2\x04", 8),
						     &port, &error),
			 -EBADMSG);
	assert_string_equal(error.message, "slave.info holds no port");
}

#define TASK_INFO WEB "runs/" CID "/tasks/web/task.info"

static void real_task_info(void **state)
{
	struct mesos_span file = data_read(TASK_INFO);
	struct mesos_task_info task;

	(void)state;
	assert_int_equal(mesos_checkpoint_task_info(file, &task, NULL), 0);
	assert_span(task.task_id, "web");
	assert_span(task.name, "web");
	assert_span(task.framework_id, FID);
	assert_span(task.slave_id, SID);
	assert_span(task.executor_id, NULL);
	assert_string_equal(mesos_task_state(task.state), "TASK_STAGING");
	data_free(file);
}

static void cut_task_info(const char *path, struct mesos_span file)
{
	struct mesos_task_info task;

	(void)path;
	for (size_t n = 0; n < file.len; n++) {
		struct mesos_span cut = data_copy(file.p, n);
		struct error error = { 0 };

		assert_int_equal(mesos_checkpoint_task_info(cut, &task, &error),
				 n ? -EBADMSG : -ENODATA);
		assert_int_not_equal(error.message[0], '\0');
		data_free(cut);
	}
	assert_int_equal(mesos_checkpoint_task_info(file, &task, NULL), 0);
}

static void cut_task_infos(void **state)
{
	(void)state;
	data_each(META "slaves/*/frameworks/*/executors/*/runs/*/tasks/*/task.info", 2,
		  cut_task_info);
}

/* Any one bit wrong: an answer or an error, never a crash; what follows the record is ignored. */
static void damaged_task_info(void **state)
{
	struct mesos_span file = data_read(TASK_INFO);
	char *copy = malloc(file.len + 1);
	struct mesos_task_info task;
	struct error error = { 0 };

	(void)state;
	for (size_t i = 0; i < file.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, file.p, file.len);
			copy[i] ^= (char)(1 << bit);
			mesos_checkpoint_task_info(mesos_span_at(copy, file.len), &task, NULL);
		}
	memcpy(copy, file.p, file.len);
	copy[file.len] = 'x';
	assert_int_equal(mesos_checkpoint_task_info(mesos_span_at(copy, file.len + 1), &task, NULL),
			 0);
	free(copy);
	data_free(file);
	assert_int_equal(mesos_checkpoint_task_info(mesos_span_at("\0\0\0\0", 4), &task, NULL),
			 -EBADMSG);
	assert_int_equal(mesos_checkpoint_task_info(mesos_span_at("\xff\xff\xff\xff"
								  "x",
								  5),
						    &task, NULL),
			 -EBADMSG);
	/* A task id, and behind it wire type 7. */
	assert_int_equal(
		mesos_checkpoint_task_info(mesos_span_at("\x06\0\0\0\x12\x03\x0a\x01t\x07", 10),
					   &task, &error),
		-EBADMSG);
	assert_non_null(strstr(error.message, "no protobuf"));
}

/* ---- what a recovery needs ---- */

static enum mesos_info info_of(const char *path)
{
	for (int i = MESOS_SLAVE_INFO; i <= MESOS_TASK_INFO; i++)
		if (strstr(path, mesos_info_name((enum mesos_info)i)))
			return (enum mesos_info)i;
	fail_msg("%s", path);
	return MESOS_TASK_INFO;
}

static void cut_info(const char *path, struct mesos_span file)
{
	enum mesos_info which = info_of(path);

	assert_int_equal(mesos_checkpoint_info(file, which, NULL), 0);
	for (size_t n = 0; n < file.len; n++) {
		struct mesos_span cut = data_copy(file.p, n);
		struct error error = { 0 };

		assert_int_equal(mesos_checkpoint_info(cut, which, &error),
				 n ? -EBADMSG : -ENODATA);
		assert_int_not_equal(error.message[0], '\0');
		data_free(cut);
	}
}

static void cut_infos(void **state)
{
	(void)state;
	data_each(META "slaves/*/slave.info", 1, cut_info);
	data_each(META "slaves/*/frameworks/*/framework.info", 2, cut_info);
	data_each(META "slaves/*/frameworks/*/executors/*/executor.info", 2, cut_info);
	data_each(META "slaves/*/frameworks/*/executors/*/runs/*/tasks/*/task.info", 2, cut_info);
}

/* A message of these fields, of type BYTES but for 6. */
static int with_fields(enum mesos_info which, const char *fields, struct error *error)
{
	char file[64] = { 0 };
	size_t at = 4;

	for (; *fields; fields++) {
		bool number = *fields == '6';

		file[at++] = (char)((*fields - '0') << 3 | (number ? 0 : 2));
		file[at++] = 0;
	}
	file[0] = (char)(at - 4);
	return mesos_checkpoint_info(mesos_span_at(file, at), which, error);
}

static void required_fields(void **state)
{
	static const struct {
		enum mesos_info which;
		const char *fields;
		const char *lacks; /* NULL: nothing */
	} rows[] = {
		{ MESOS_SLAVE_INFO, "1", NULL },
		{ MESOS_SLAVE_INFO, "2", "host name" },
		{ MESOS_FRAMEWORK_INFO, "12", NULL },
		{ MESOS_FRAMEWORK_INFO, "2", "user" },
		{ MESOS_FRAMEWORK_INFO, "1", "name" },
		{ MESOS_EXECUTOR_INFO, "1", NULL },
		{ MESOS_EXECUTOR_INFO, "2", "executor id" },
		{ MESOS_TASK_INFO, "12356", NULL },
		{ MESOS_TASK_INFO, "2356", "name" },
		{ MESOS_TASK_INFO, "1356", "task id" },
		{ MESOS_TASK_INFO, "1256", "framework id" },
		{ MESOS_TASK_INFO, "1236", "agent id" },
		{ MESOS_TASK_INFO, "1235", "state" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error error = { 0 };
		int err = with_fields(rows[i].which, rows[i].fields, &error);

		assert_int_equal(err, rows[i].lacks ? -EBADMSG : 0);
		if (rows[i].lacks)
			assert_non_null(strstr(error.message, rows[i].lacks));
	}
}

static void resources(void **state)
{
	static const char two[] = "\x05\0\0\0\x0a\x03"
				  "cpu"
				  "\x05\0\0\0\x0a\x03"
				  "mem";
	static const char nameless[] = "\x02\0\0\0\x10\x01";

	(void)state;
	for (size_t n = 0; n < sizeof(two); n++) {
		struct mesos_span cut = data_copy(two, n);

		assert_int_equal(mesos_checkpoint_resources(cut, NULL), 0);
		data_free(cut);
	}
	assert_int_equal(mesos_checkpoint_resources(mesos_span_at(nameless, 6), NULL), -EBADMSG);
	assert_int_equal(mesos_checkpoint_resources(mesos_span_at("\x02\0\0\0\xff\xff", 6), NULL),
			 -EBADMSG);
}

static void updates(const char *path, struct mesos_span file)
{
	static const bool acks[] = { false, false, true, true };
	static const char *const states[] = { "TASK_STARTING", "TASK_RUNNING" };
	struct mesos_span rest = file;
	struct mesos_span uuids[4];
	struct mesos_update update;
	struct error error = { 0 };

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(mesos_checkpoint_update(&rest, &update, &error), 1);
		assert_int_equal(update.ack, acks[i]);
		assert_int_equal(update.uuid.len, 16);
		uuids[i] = update.uuid;
		if (update.ack) {
			assert_null(update.task_id.p);
			assert_true(data_equal(update.uuid, uuids[i - 2]));
		} else {
			assert_string_equal(update.state, states[i]);
			assert_int_equal(update.source, MESOS_BY_EXECUTOR);
			assert_true(update.timestamp > 1.79e9 && update.timestamp < 1.8e9);
			assert_span(update.task_id, strstr(path, "/web/") ? "web" : "loop");
		}
	}
	assert_int_equal(mesos_checkpoint_update(&rest, &update, &error), 0);
	assert_int_equal(error.code, 0);
}

static void cut_updates(const char *path, struct mesos_span file)
{
	(void)path;
	for (size_t n = 0; n < file.len; n++) {
		struct mesos_span cut = data_copy(file.p, n);
		struct mesos_span rest = cut;
		struct mesos_update update;
		struct error error = { 0 };
		int more;

		while ((more = mesos_checkpoint_update(&rest, &update, &error)) == 1)
			;
		assert_int_equal(more, rest.len ? -ENODATA : 0);
		assert_int_equal(error.code, more);
		data_free(cut);
	}
}

static void real_updates(void **state)
{
	(void)state;
	data_each(META "slaves/*/frameworks/*/executors/*/runs/*/tasks/*/task.updates", 2, updates);
	data_each(META "slaves/*/frameworks/*/executors/*/runs/*/tasks/*/task.updates", 2,
		  cut_updates);
}

static void damaged_updates(void **state)
{
	static const struct {
		struct mesos_span bytes;
		int err;
	} rows[] = {
#define ROW(text, err) { { text, sizeof(text) - 1 }, err }
		ROW("\0\0\0\0", -EBADMSG),		     /* no type */
		ROW("\x02\0\0\0\x08\x02", -EBADMSG),	     /* type 2 */
		ROW("\x02\0\0\0\x08\x00", -EBADMSG),	     /* update of nothing */
		ROW("\x02\0\0\0\x08\x01", 1),		     /* ack without uuid */
		ROW("\x03\0\0\0\x08\x01\x07", -EBADMSG),     /* wire type 7 */
		ROW("\x04\0\0\0\x08\x01\x12\x05", -EBADMSG), /* field beyond record */
		ROW("\xff\xff\xff\xff", -ENODATA),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span bytes = data_copy(rows[i].bytes.p, rows[i].bytes.len);
		struct mesos_span rest = bytes;
		struct mesos_update update;
		struct error error = { 0 };

		assert_int_equal(mesos_checkpoint_update(&rest, &update, &error), rows[i].err);
		if (rows[i].err < 0)
			assert_true(rest.p == bytes.p && error.message[0]);
		data_free(bytes);
	}
}

static void protobufs(void **state)
{
	static const struct {
		struct mesos_span bytes;
		int check;
	} rows[] = {
#define ROW(text, err) { { text, sizeof(text) - 1 }, err }
		ROW("", 0),
		ROW("\x08\x01", 0),
		ROW("\x08", -ENODATA),
		ROW("\x88", -ENODATA),
		ROW("\x08\x80", -ENODATA),
		ROW("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
		ROW("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", -EBADMSG),
		ROW("\x0a\x01x", 0),
		ROW("\x0a\x02x", -ENODATA),
		ROW("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", -ENODATA),
		ROW("\x09"
		    "12345678",
		    0),
		ROW("\x09"
		    "1234567",
		    -ENODATA),
		ROW("\x0d"
		    "1234",
		    0),
		ROW("\x0d"
		    "123",
		    -ENODATA),
		ROW("\x0b\x0c", -EBADMSG),
		ROW("\x00\x01", -EBADMSG),
		ROW("\x0f", -EBADMSG),
		ROW("\xf8\xff\xff\xff\x0f\x01", 0),
		ROW("\xf8\xff\xff\xff\x1f\x01", -EBADMSG),
#undef ROW
	};
	struct protobuf_field field;
	struct mesos_span message;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message = data_copy(rows[i].bytes.p, rows[i].bytes.len);
		if (protobuf_check(message) != rows[i].check)
			fail_msg("row %zu: %d", i, protobuf_check(message));
		data_free(message);
	}
	/* the last one counts */
	message = mesos_span_at("\x0a\x01"
				"a\x0a\x01"
				"b\x10\x05\x10\x07",
				10);
	assert_span(protobuf_bytes(message, 1), "b");
	assert_int_equal(protobuf_varint(message, 2, 0), 7);
	assert_int_equal(protobuf_varint(message, 1, 99), 99);
	assert_null(protobuf_bytes(message, 2).p);
	assert_null(protobuf_id(message, 1).p);
	/* of what is cut the beginning is handed out, marked */
	message = mesos_span_at("\x0a\x05"
				"ab",
				4);
	assert_int_equal(protobuf_next(&message, &field), 1);
	assert_true(field.cut);
	assert_span(field.bytes, "ab");
	assert_int_equal(protobuf_next(&message, &field), 0);
	message = mesos_span_at("\x09\x01\x02\x03\x04\x05\x06\x07\x88", 9);
	assert_int_equal(protobuf_next(&message, &field), 1);
	assert_true(field.value == 0x8807060504030201ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pids),
		cmocka_unit_test(real_small_files),
		cmocka_unit_test(real_slave_info),
		cmocka_unit_test(real_task_info),
		cmocka_unit_test(cut_task_infos),
		cmocka_unit_test(damaged_task_info),
		cmocka_unit_test(cut_infos),
		cmocka_unit_test(required_fields),
		cmocka_unit_test(resources),
		cmocka_unit_test(real_updates),
		cmocka_unit_test(damaged_updates),
		cmocka_unit_test(protobufs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
