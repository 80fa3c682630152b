/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's answers over HTTP. */
#include "mesos_data.h"

#include <errno.h>

#include "fail.h"
#include "mesos/state.h"

#define FID0   "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000"
#define FID1   "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0001"
#define SECOND 1000000000LL

static void real_state(void **state)
{
	struct mesos_span body = data_read(DATA "api/state.json");
	struct mesos_state *agent = NULL;
	struct mesos_executor *executor;

	(void)state;
	assert_int_equal(mesos_api_check(200, body, NULL), 0);
	assert_int_equal(mesos_state_parse(body, &agent, NULL), 0);
	data_free(body);
	assert_string_equal(agent->id, "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0");
	assert_string_equal(agent->pid, "slave(1)@127.0.0.1:5051");
	assert_string_equal(agent->version, "1.12.0");
	assert_string_equal(agent->hostname, "127.0.0.1");
	assert_true(agent->start_time > 1795459851.063 && agent->start_time < 1795459851.064);
	assert_string_equal(agent->flags.work_dir, "/var/lib/mesos/agent");
	assert_string_equal(agent->flags.launcher, "posix");
	assert_int_equal(agent->flags.recovery_timeout_ns, 900 * SECOND);
	assert_int_equal(agent->flags.reregistration_timeout_ns, 2 * SECOND);
	assert_int_equal(agent->flags.reregistration_retry_ns, 0);
	assert_int_equal(agent->n_frameworks, 2);
	assert_string_equal(agent->frameworks[0].id, FID1);
	assert_string_equal(agent->frameworks[1].id, FID0);
	assert_true(agent->frameworks[1].checkpoint);
	assert_false(agent->frameworks[1].completed);
	assert_int_equal(agent->frameworks[1].n_executors, 1);
	executor = &agent->frameworks[1].executors[0];
	assert_string_equal(executor->id, "web");
	assert_string_equal(executor->source, "web");
	assert_string_equal(executor->container, "70c332d8-b506-4f13-a492-4cd514dc0924");
	assert_non_null(strstr(executor->directory, "/executors/web/runs/70c332d8"));
	assert_false(executor->completed);
	assert_int_equal(executor->n_queued, 0);
	assert_int_equal(executor->n_tasks, 1);
	assert_string_equal(executor->tasks[0].id, "web");
	assert_string_equal(executor->tasks[0].name, "web");
	assert_string_equal(executor->tasks[0].state, "TASK_RUNNING");
	mesos_state_free(agent);
}

static void real_flags(void **state)
{
	struct mesos_span body = data_read(DATA "api/flags.json");
	struct mesos_flags *flags = NULL;

	(void)state;
	assert_int_equal(mesos_flags_parse(body, &flags, NULL), 0);
	data_free(body);
	assert_string_equal(flags->work_dir, "/var/lib/mesos/agent");
	assert_string_equal(flags->runtime_dir, "/var/run/mesos");
	assert_int_equal(flags->port, 5051);
	assert_int_equal(flags->recovery_timeout_ns, 900 * SECOND);
	assert_int_equal(flags->reregistration_timeout_ns, 2 * SECOND);
	assert_false(flags->http_command_executor);
	assert_false(flags->domain_sockets);
	mesos_flags_free(flags);
	mesos_flags_free(NULL);
}

static void answers(void **state)
{
	static const struct {
		int status;
		const char *body;
		int err;
	} rows[] = {
		{200, "{}", 0},
		{200, " \r\n[]", 0},
		{200, "<html><body>It works!</body></html>", -EPROTO},
		{200, "", -EPROTO},
		{200, "SSH-2.0-OpenSSH", -EPROTO},
		{401, "", -EACCES},
		{403, "{}", -EACCES},
		{404, "", -ENOENT},
		{503, "Agent has not finished recovery", -EAGAIN},
		{503, "Slave has not finished recovery", -EAGAIN},
		{503, "overloaded", -EPROTO},
		{500, "", -EPROTO},
		{302, "{}", -EPROTO},
		{0, "", -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span body = data_copy(rows[i].body, strlen(rows[i].body));
		struct fail why = {0};

		if (mesos_api_check(rows[i].status, body, &why) != rows[i].err)
			fail_msg("%d '%s': %d", rows[i].status, rows[i].body, why.err);
		assert_int_equal(why.err, rows[i].err);
		data_free(body);
	}
}

static void recovering(void **state)
{
	struct mesos_span body = data_read(DATA "api/recovery-state.txt");

	(void)state;
	assert_int_equal(mesos_api_check(503, body, NULL), -EAGAIN);
	data_free(body);
}

/* An answer cut anywhere, as when the agent dies while it speaks. */
static void cut_answers(void **state)
{
	struct mesos_span body = data_read(DATA "api/state.json");

	(void)state;
	for (size_t n = 0; n < body.len; n++) {
		struct mesos_span cut = data_copy(body.p, n);
		struct mesos_state *agent = (void *)1;
		struct mesos_flags *flags = (void *)1;
		struct fail why = {0};

		assert_int_equal(mesos_state_parse(cut, &agent, &why), -EBADMSG);
		assert_non_null(strstr(why.what, "no JSON: line 1"));
		if (n % 16) {
			data_free(cut);
			continue;
		}
		assert_int_equal(mesos_flags_parse(cut, &flags, &why), -EBADMSG);
		assert_non_null(strstr(why.what, "/flags is no JSON"));
		assert_true(agent == (void *)1 && flags == (void *)1);
		data_free(cut);
	}
	data_free(body);
}

static void other_shapes(void **state)
{
	static const char *const bodies[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"frameworks\":{}}",
		"{\"frameworks\":[1]}",
		"{\"frameworks\":[{}]}",
		"{\"frameworks\":[{\"id\":1}]}",
		"{\"frameworks\":[{\"id\":\"f\",\"executors\":[{}]}]}",
		"{\"frameworks\":[{\"id\":\"f\",\"executors\":[null]}]}",
		"{\"frameworks\":[{\"id\":\"f\",\"completed_executors\":[{\"id\":\"\"}]}]}",
		"{\"frameworks\":[{\"id\":\"f\",\"executors\":[{\"id\":\"e\",\"tasks\":[{}]}]}]}",
		"{\"frameworks\":[],\"completed_frameworks\":[{}]}",
		"{\"frameworks\":[]} trailing",
		"{\"frameworks\":[{\"id\":\"\\u0000\"}]}",
		"{\"frameworks\":[{\"id\":\"\xff\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct mesos_state *agent = NULL;
		struct fail why = {0};

		if (mesos_state_parse(mesos_span_of(bodies[i]), &agent, &why) != -EBADMSG)
			fail_msg("'%s' was taken for a state", bodies[i]);
		assert_null(agent);
		assert_int_not_equal(why.what[0], '\0');
	}
}

static void small_states(void **state)
{
	static const char body[] =
		"{\"frameworks\":[{\"id\":\"f \\\"\\n\xc3\xa9\",\"executors\":"
		"[{\"id\":\"e'\\u00e9\",\"queued_tasks\":[{\"id\":\"q\"}]}],"
		"\"completed_executors\":[{\"id\":\"gone\"}]}],"
		"\"completed_frameworks\":[{\"id\":\"old\",\"executors\":[{\"id\":\"x\"}]}],"
		"\"start_time\":5,\"flags\":{\"recovery_timeout\":\"soon\","
		"\"executor_reregistration_retry_interval\":\"500ms\",\"port\":\"99999\"}}";
	struct mesos_state *agent = NULL;

	(void)state;
	assert_int_equal(mesos_state_parse(mesos_span_of(body), &agent, NULL), 0);
	assert_int_equal(agent->n_frameworks, 2);
	assert_string_equal(agent->frameworks[0].id, "f \"\n\xc3\xa9");
	assert_int_equal(agent->frameworks[0].n_executors, 2);
	assert_string_equal(agent->frameworks[0].executors[0].id, "e'\xc3\xa9");
	assert_int_equal(agent->frameworks[0].executors[0].n_queued, 1);
	assert_string_equal(agent->frameworks[0].executors[0].container, "");
	assert_false(agent->frameworks[0].executors[0].completed);
	assert_true(agent->frameworks[0].executors[1].completed);
	assert_true(agent->frameworks[1].completed);
	assert_true(agent->frameworks[1].executors[0].completed);
	assert_string_equal(agent->id, "");
	assert_true(agent->start_time > 4.9 && agent->start_time < 5.1);
	assert_int_equal(agent->flags.recovery_timeout_ns, 0);
	assert_int_equal(agent->flags.reregistration_retry_ns, SECOND / 2);
	assert_int_equal(agent->flags.port, 0);
	assert_string_equal(agent->flags.work_dir, "");
	mesos_state_free(agent);
	mesos_state_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_state),  cmocka_unit_test(real_flags),
		cmocka_unit_test(answers),     cmocka_unit_test(recovering),
		cmocka_unit_test(cut_answers), cmocka_unit_test(other_shapes),
		cmocka_unit_test(small_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
