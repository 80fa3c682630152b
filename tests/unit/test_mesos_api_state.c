/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's answers over HTTP. */
#include "mesos_data.h"

#include <errno.h>

#include "base/error.h"
#include "mesos/api_state.h"

#define FID0   "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000"
#define FID1   "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0001"
#define SECOND 1000000000LL

/* Read in pieces of n bytes: where an answer is cut on its way makes no difference. */
static struct api_state *read_pieces(enum mesos_endpoint endpoint, struct mesos_span body, size_t n)
{
	struct api_state *answer = api_state_new(endpoint);

	assert_non_null(answer);
	for (size_t at = 0; at < body.len; at += n) {
		struct mesos_span piece =
			data_copy(body.p + at, n < body.len - at ? n : body.len - at);

		api_state_feed(answer, piece);
		data_free(piece);
	}
	return answer;
}

static void real_state_in(size_t n)
{
	struct mesos_span body = data_read(DATA "api/state.json");
	struct api_state *answer = read_pieces(MESOS_STATE, body, n);
	const struct mesos_state *agent = NULL;
	const struct mesos_executor *executor;

	assert_int_equal(api_status_check(200, body, NULL), 0);
	data_free(body);
	assert_int_equal(api_state_end(answer, &agent, NULL), 0);
	assert_string_equal(agent->id, "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0");
	assert_string_equal(agent->version, "1.12.0");
	assert_true(agent->start_time > 1795459851.063 && agent->start_time < 1795459851.064);
	assert_string_equal(agent->flags.work_dir, "/var/lib/mesos/agent");
	assert_int_equal(agent->flags.recovery_timeout_ns, 900 * SECOND);
	assert_int_equal(agent->flags.reregistration_timeout_ns, 2 * SECOND);
	assert_string_equal(agent->frameworks->id, FID1);
	assert_string_equal(agent->frameworks->next->id, FID0);
	assert_null(agent->frameworks->next->next);
	assert_false(agent->frameworks->next->completed);
	executor = agent->frameworks->next->executors;
	assert_null(executor->next);
	assert_string_equal(executor->id, "web");
	assert_string_equal(executor->container, "70c332d8-b506-4f13-a492-4cd514dc0924");
	assert_false(executor->completed);
	assert_int_equal(executor->n_tasks, 1);
	assert_string_equal(executor->tasks->id, "web");
	assert_string_equal(executor->tasks->name, "web");
	assert_null(executor->tasks->next);
	api_state_free(answer);
}

static void real_state(void **state)
{
	(void)state;
	real_state_in(SIZE_MAX);
	for (size_t n = 1; n < 20; n++)
		real_state_in(n);
}

static void real_flags(void **state)
{
	struct mesos_span body = data_read(DATA "api/flags.json");
	struct api_state *answer = read_pieces(MESOS_FLAGS, body, SIZE_MAX);
	const struct mesos_state *agent = NULL;

	(void)state;
	data_free(body);
	assert_int_equal(api_state_end(answer, &agent, NULL), 0);
	assert_string_equal(agent->flags.work_dir, "/var/lib/mesos/agent");
	assert_int_equal(agent->flags.recovery_timeout_ns, 900 * SECOND);
	assert_int_equal(agent->flags.reregistration_timeout_ns, 2 * SECOND);
	api_state_free(answer);
	api_state_free(NULL);
}

static void answers(void **state)
{
	static const struct {
		int status;
		const char *body;
		int err;
	} rows[] = {
		{ 200, "{}", 0 },
		{ 200, " \r\n[]", 0 },
		{ 200, "<html><body>It works!</body></html>", -EPROTO },
		{ 200, "", -EPROTO },
		{ 200, "SSH-2.0-OpenSSH", -EPROTO },
		{ 401, "", -EACCES },
		{ 403, "{}", -EACCES },
		{ 404, "", -ENOENT },
		{ 503, "Agent has not finished recovery", -EAGAIN },
		{ 503, "Slave has not finished recovery", -EAGAIN },
		{ 503, "overloaded", -EPROTO },
		{ 500, "", -EPROTO },
		{ 302, "{}", -EPROTO },
		{ 0, "", -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span body = data_copy(rows[i].body, strlen(rows[i].body));
		struct error error = { 0 };

		if (api_status_check(rows[i].status, body, &error) != rows[i].err)
			fail_msg("%d '%s': %d", rows[i].status, rows[i].body, error.code);
		assert_int_equal(error.code, rows[i].err);
		data_free(body);
	}
}

static void recovering(void **state)
{
	struct mesos_span body = data_read(DATA "api/recovery-state.txt");

	(void)state;
	assert_int_equal(api_status_check(503, body, NULL), -EAGAIN);
	data_free(body);
}

/* False: with *error, and nothing said. */
static bool is_answer(enum mesos_endpoint endpoint, struct mesos_span body, struct error *error)
{
	struct api_state *answer = read_pieces(endpoint, body, SIZE_MAX);
	const struct mesos_state *agent = NULL;
	int err = api_state_end(answer, &agent, error);

	api_state_free(answer);
	assert_true(err == 0 || err == -EBADMSG);
	assert_int_equal(err == 0, agent != NULL);
	assert_int_equal(err, error->code);
	return err == 0;
}

/* An answer cut anywhere, as when the agent dies while it speaks. */
static void cut_answers(void **state)
{
	struct mesos_span body = data_read(DATA "api/state.json");

	(void)state;
	for (size_t n = 0; n < body.len; n++) {
		struct mesos_span cut = data_copy(body.p, n);
		struct error error = { 0 };
		char where[64];

		assert_false(is_answer(MESOS_STATE, cut, &error));
		snprintf(where, sizeof(where), "no JSON: byte %zu:", n);
		assert_non_null(strstr(error.message, where));
		error = (struct error){ 0 };
		assert_false(is_answer(MESOS_FLAGS, cut, &error));
		assert_non_null(strstr(error.message, "/flags is no JSON"));
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
		"{\"frameworks\":[[]]}",
		"{\"frameworks\":[{\"id\":\"f\",\"executors\":[{\"id\":\"e\",\"tasks\":[\"t\"]}]}]"
		"}",
		"{\"frameworks\":[{\"id\":\"\\u0000\"}]}",
		"{\"frameworks\":[{\"id\":\"f\"}]]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct error error = { 0 };

		if (is_answer(MESOS_STATE, mesos_span_of(bodies[i]), &error))
			fail_msg("'%s' was taken for a state", bodies[i]);
		assert_int_not_equal(error.message[0], '\0');
	}
}

/* The frameworks and the rest of a state, and what it lacks; NULL: nothing. */
static void identities(void **state)
{
	static const char no_id[] = "the agent's /state lacks 'id'";
	static const char no_start[] = "the agent's /state lacks 'start_time'";
	static const struct {
		const char *body, *message;
	} rows[] = {
		{ "{\"frameworks\":[],\"id\":\"\",\"start_time\":5}", NULL },
		{ "{\"frameworks\":[],\"start_time\":5}", no_id },
		{ "{\"frameworks\":[],\"id\":null,\"start_time\":5}", no_id },
		{ "{\"frameworks\":[],\"id\":7,\"start_time\":5}", no_id },
		{ "{\"frameworks\":[],\"id\":{\"id\":\"a\"},\"start_time\":5}", no_id },
		{ "{\"frameworks\":[{\"id\":\"f\"}],\"id\":\"\",\"start_time\":5}", no_id },
		{ "{\"frameworks\":[],\"id\":\"a\"}", no_start },
		{ "{\"frameworks\":[],\"id\":\"a\",\"start_time\":null}", no_start },
		{ "{\"frameworks\":[],\"id\":\"a\",\"start_time\":\"5\"}", no_start },
		{ "{\"frameworks\":[],\"id\":\"a\",\"start_time\":0}", no_start },
		{ "{\"frameworks\":[],\"id\":\"a\",\"start_time\":-5}", no_start },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error error = { 0 };

		is_answer(MESOS_STATE, mesos_span_of(rows[i].body), &error);
		assert_string_equal(error.message, rows[i].message ? rows[i].message : "");
	}
}

/* Of brackets alone no stack grows. */
static void deep_answer(void **state)
{
	struct error error = { 0 };
	char body[128];

	(void)state;
	memset(body, '[', sizeof(body));
	assert_false(is_answer(MESOS_STATE, mesos_span_at(body, sizeof(body)), &error));
	assert_non_null(strstr(error.message, "nested deeper than 64"));
}

static void flags_without_flags(void **state)
{
	struct error error = { 0 };

	(void)state;
	assert_false(is_answer(MESOS_FLAGS, mesos_span_of("{\"flags\":[]}"), &error));
	assert_string_equal(error.message, "the agent's /flags lacks 'flags'");
}

static void small_states(void **state)
{
	static const char body[] =
		"{\"other\":{\"frameworks\":[1],\"id\":\"no\"},"
		"\"frameworks\":[{\"executors\":"
		"[{\"queued_tasks\":[{\"id\":\"q\"}],\"tasks\":[{\"id\":\"t1\",\"statuses\":[{"
		"\"id\":\"s\"}]},"
		"{\"name\":\"n\",\"id\":\"t2\"}],\"id\":\"e'\\u00e9\"}],"
		"\"completed_executors\":[{\"id\":\"gone\"}],\"id\":\"f \\\"\\n\xc3\xa9\"}],"
		"\"completed_frameworks\":[{\"id\":\"old\",\"executors\":[{\"id\":\"x\"}]}],"
		"\"start_time\":5,\"id\":\"a-S0\",\"flags\":{\"recovery_timeout\":\"soon\"}}";
	struct api_state *answer = read_pieces(MESOS_STATE, mesos_span_of(body), SIZE_MAX);
	const struct mesos_executor *executor;
	const struct mesos_state *agent;

	(void)state;
	assert_int_equal(api_state_end(answer, &agent, NULL), 0);
	assert_string_equal(agent->frameworks->id, "f \"\n\xc3\xa9");
	assert_false(agent->frameworks->completed);
	executor = agent->frameworks->executors;
	assert_string_equal(executor->id, "e'\xc3\xa9");
	assert_string_equal(executor->container, "");
	assert_false(executor->completed);
	assert_int_equal(executor->n_tasks, 2);
	assert_string_equal(executor->tasks->id, "t1");
	assert_string_equal(executor->tasks->name, "");
	assert_string_equal(executor->tasks->next->name, "n");
	assert_string_equal(executor->next->id, "gone");
	assert_true(executor->next->completed);
	assert_null(executor->next->next);
	assert_true(agent->frameworks->next->completed);
	assert_string_equal(agent->frameworks->next->executors->id, "x");
	assert_string_equal(agent->id, "a-S0");
	assert_true(agent->start_time > 4.9 && agent->start_time < 5.1);
	assert_int_equal(agent->flags.recovery_timeout_ns, 0);
	assert_string_equal(agent->flags.work_dir, "");
	api_state_free(answer);
}

/* What a framework chose is written by Mesos as it is; it costs nobody else's line. */
static void texts_of_any_bytes(void **state)
{
	static const char body[] = "{\"id\":\"a-S0\",\"start_time\":5,"
				   "\"frameworks\":[{\"id\":\"f\",\"executors\":[{\"id\":"
				   "\"a\xff\xc3(\x80\"},{\"id\":\"b\"}]}],"
				   "\"attributes\":{\"\xfe\":\"\xc0\x80\"}}";
	const struct mesos_executor *executor;
	const struct mesos_state *agent;

	(void)state;
	for (size_t n = 1; n < sizeof(body); n++) {
		struct api_state *answer = read_pieces(MESOS_STATE, mesos_span_of(body), n);

		assert_int_equal(api_state_end(answer, &agent, NULL), 0);
		executor = agent->frameworks->executors;
		assert_string_equal(executor->id, "a\xff\xc3(\x80");
		assert_string_equal(executor->next->id, "b");
		api_state_free(answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_state),
		cmocka_unit_test(real_flags),
		cmocka_unit_test(answers),
		cmocka_unit_test(recovering),
		cmocka_unit_test(cut_answers),
		cmocka_unit_test(other_shapes),
		cmocka_unit_test(identities),
		cmocka_unit_test(deep_answer),
		cmocka_unit_test(flags_without_flags),
		cmocka_unit_test(small_states),
		cmocka_unit_test(texts_of_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
