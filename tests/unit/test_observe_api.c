/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The client against a server in the test, which answers with a real agent's bytes, or badly. */
#include "test_observe.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "observe/agent/api.h"
#include "observe/agent/api_question.h"
#include "observe/agent/credential.h"
#include "base/netns.h"

#define SECOND INT64_C(1000000000)

/* What the server says to a request for a path; answers of length 0 never come. */
struct answer {
	const char *path;
	char *bytes;
	size_t len;
	bool hang; /* says it, but does not close */
};

static struct event_base *base;
static struct evconnlistener *listener;
static struct answer answers[4];
static size_t n_answers;
static char last_request[4096];
static unsigned int n_requests;
static struct bufferevent *open_ends[64];
static struct facts facts;
static char url[64];

static void server_written(struct bufferevent *bev, void *ctx)
{
	struct answer *answer = ctx;

	if (answer->hang || evbuffer_get_length(bufferevent_get_output(bev)))
		return;
	shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void server_read(struct bufferevent *bev, void *ctx)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);

	(void)ctx;
	if (len >= sizeof(last_request))
		len = sizeof(last_request) - 1;
	evbuffer_copyout(in, last_request, len);
	last_request[len] = '\0';
	if (!strstr(last_request, "\r\n\r\n"))
		return;
	evbuffer_drain(in, len);
	n_requests++;
	for (size_t i = 0; i < n_answers; i++) {
		size_t path_len = strlen(answers[i].path);

		if (strncmp(last_request + 4, answers[i].path, path_len) != 0)
			continue;
		bufferevent_setcb(bev, NULL, server_written, NULL, &answers[i]);
		bufferevent_write(bev, answers[i].bytes, answers[i].len);
		return;
	}
}

static void server_accept(struct evconnlistener *from, evutil_socket_t fd, struct sockaddr *addr,
			  int len, void *ctx)
{
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)from;
	(void)addr;
	(void)len;
	(void)ctx;
	for (size_t i = 0; i < 64; i++) {
		if (!open_ends[i]) {
			open_ends[i] = bev;
			break;
		}
	}
	bufferevent_setcb(bev, server_read, NULL, NULL, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static struct answer *says(const char *path, const char *bytes, size_t len)
{
	struct answer *answer = &answers[n_answers++];

	answer->path = path;
	answer->bytes = malloc(len + 1);
	memcpy(answer->bytes, bytes, len);
	answer->len = len;
	return answer;
}

static struct answer *says_text(const char *path, const char *text_)
{
	return says(path, text_, strlen(text_));
}

/* A head, and the body that a real agent gave. */
static void says_file(const char *path, const char *status, const char *file)
{
	static char bytes[1 << 20];
	char body[1 << 16];
	int fd = open(file, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, body, sizeof(body));
	int head;

	assert_true(len >= 0);
	close(fd);
	head = snprintf(bytes, sizeof(bytes), "HTTP/1.1 %s\r\nContent-Length: %zd\r\n\r\n", status,
			len);
	memcpy(bytes + head, body, (size_t)len);
	says(path, bytes, (size_t)(head + len));
}

static int setup(void **state)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(any);

	(void)state;
	facts_init(&facts);
	base = event_base_new();
	n_requests = 0;
	listener = evconnlistener_new_bind(base, server_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 16,
					   (void *)&any, sizeof(any));
	if (!listener || getsockname(evconnlistener_get_fd(listener), (void *)&any, &len) < 0)
		return -1;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", ntohs(any.sin_port));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 64; i++) {
		if (open_ends[i])
			bufferevent_free(open_ends[i]);
		open_ends[i] = NULL;
	}
	while (n_answers)
		free(answers[--n_answers].bytes);
	if (listener)
		evconnlistener_free(listener);
	listener = NULL;
	event_base_free(base);
	facts_free(&facts);
	return 0;
}

static void await_answer(const struct api *api)
{
	while (api_is_asking(api))
		event_base_loop(base, EVLOOP_ONCE);
}

/* Asks once and gives the FACT_API. */
static const json_t *asked(const struct api_options *more, uint32_t round)
{
	struct api_options options = { .url = url, .nsfd = NETNS_OWN, .timeout_ms = 5000 };
	struct error error = { 0 };
	struct api *api;

	if (more)
		options = *more;
	if (!options.url)
		options.url = url;
	if (api_new(base, &options, &api, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(api_ask(api, round, &facts.sink), 0);
	await_answer(api);
	api_free(api);
	return facts_nth(&facts, "api", NULL, NULL, facts_count(&facts, "api") - 1);
}

static void a_real_agents_state_is_told(void **state)
{
	const json_t *api, *web;

	(void)state;
	says_file("/state", "200 OK", "tests/data/mesos/api/state.json");
	api = asked(NULL, 7);
	assert_string_equal(text(api, "problem"), "");
	assert_int_equal(number(api, "http_status"), 200);
	assert_string_equal(text(api, "url"), url);
	assert_string_equal(text(api, "slave_id"), "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0");
	assert_string_equal(text(api, "version"), "1.12.0");
	assert_string_equal(text(api, "work_dir"), "/var/lib/mesos/agent");
	assert_int_equal(number(api, "recovery_timeout_ns"), 900 * SECOND);
	assert_int_equal(number(api, "reregister_timeout_ns"), 2 * SECOND);
	assert_int_equal(number(api, "round"), 7);
	assert_true(json_is_false(json_object_get(api, "recovering")));
	assert_int_equal(facts_count(&facts, "api_executor"), 2);
	web = facts_find(&facts, "api_executor", "executor_id", "web");
	assert_string_equal(text(web, "container_id"), "70c332d8-b506-4f13-a492-4cd514dc0924");
	assert_string_equal(text(web, "framework_id"), "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000");
	assert_int_equal(number(web, "round"), 7);
	assert_string_equal(json_string_value(json_array_get(json_object_get(web, "tasks"), 0)),
			    "web");
	/* Whoever sees FACT_API has seen its executors. */
	assert_string_equal(text(json_array_get(facts.all, json_array_size(facts.all) - 1), "type"),
			    "api");
	assert_int_equal(n_requests, 1);
}

static void while_the_agent_recovers_its_flags_are_told(void **state)
{
	const json_t *api;

	(void)state;
	says_file("/state", "503 Service Unavailable", "tests/data/mesos/api/recovery-state.txt");
	says_file("/flags", "200 OK", "tests/data/mesos/api/flags.json");
	api = asked(NULL, 1);
	assert_true(json_is_true(json_object_get(api, "recovering")));
	assert_int_equal(number(api, "http_status"), 503);
	assert_string_equal(text(api, "problem"), "");
	assert_string_equal(text(api, "work_dir"), "/var/lib/mesos/agent");
	assert_int_equal(number(api, "reregister_timeout_ns"), 2 * SECOND);
	assert_int_equal(facts_count(&facts, "api_executor"), 0);
	assert_int_equal(n_requests, 2);
}

static void an_agent_that_recovers_and_hides_its_flags_recovers_all_the_same(void **state)
{
	const json_t *api;

	(void)state;
	says_file("/state", "503 Service Unavailable", "tests/data/mesos/api/recovery-state.txt");
	says_text("/flags", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	api = asked(NULL, 1);
	assert_true(json_is_true(json_object_get(api, "recovering")));
	assert_int_equal(number(api, "http_status"), 503);
	assert_string_equal(text(api, "work_dir"), "");
}

static void an_agent_that_recovers_and_then_hangs_recovers_all_the_same(void **state)
{
	struct api_options options = { .nsfd = NETNS_OWN, .timeout_ms = 200 };
	const json_t *api;

	(void)state;
	says_file("/state", "503 Service Unavailable", "tests/data/mesos/api/recovery-state.txt");
	api = asked(&options, 1); /* nothing is said to /flags */
	assert_true(json_is_true(json_object_get(api, "recovering")));
	assert_string_equal(text(api, "problem"), "");
}

static void a_chunked_answer_is_complete_while_the_stream_goes_on(void **state)
{
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "10\r\n{\"version\":\"1.0.\r\n"
				      "30\r\n4\",\"id\":\"S\",\"start_time\":5,\"flags\":{},"
				      "\"framework\r\n"
				      "6\r\ns\":[]}\r\n0\r\n\r\n";

	(void)state;
	says_text("/state", chunked)->hang = true; /* complete without the end of the stream */
	assert_string_equal(text(asked(NULL, 1), "problem"), "");
	assert_string_equal(text(facts_nth(&facts, "api", NULL, NULL, 0), "version"), "1.0.4");
}

/* Never to be read as "there are no executors". */
static void a_refusal_is_a_problem(void **state)
{
	const json_t *api;

	(void)state;
	says_text("/state", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
			    "WWW-Authenticate: Basic realm=\"mesos-agent-readonly\"\r\n\r\n");
	api = asked(NULL, 1);
	assert_int_equal(number(api, "http_status"), 401);
	assert_non_null(strstr(text(api, "problem"), "--credential-file"));
	assert_int_equal(facts_count(&facts, "api_executor"), 0);
}

static void what_is_no_agent_is_a_problem(void **state)
{
	static const char *const bad[] = {
		"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
		"\x15\x03\x03\x00\x02\x02\x0a",
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
		"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n{\"id\":",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const json_t *api;

		says("/state", bad[i], strlen(bad[i]) + (bad[i][0] == '\x15' ? 3 : 0));
		/* An answer of nothing: the connection ends. */
		if (!bad[i][0]) {
			evconnlistener_free(listener);
			listener = NULL;
		}
		api = asked(NULL, (uint32_t)i);
		if (!*text(api, "problem"))
			fail_msg("no problem with: %s", bad[i]);
		assert_int_equal(number(api, "round"), i);
		assert_string_equal(text(api, "slave_id"), "");
		free(answers[--n_answers].bytes);
	}
	assert_int_equal(facts_count(&facts, "api_executor"), 0);
}

static void an_agent_that_never_answers_is_given_up(void **state)
{
	struct api_options options = { .nsfd = NETNS_OWN, .timeout_ms = 100 };

	(void)state;
	says_text("/state", "HTTP/1.1 200 OK\r\nContent-Le")->hang = true;
	assert_non_null(strstr(text(asked(&options, 1), "problem"), "no answer in time"));
	assert_int_equal(number(facts_nth(&facts, "api", NULL, NULL, 0), "http_status"), 0);
	n_answers = 0;
	free(answers[0].bytes);
	/* Nor is one that does not say a word. */
	assert_non_null(strstr(text(asked(&options, 2), "problem"), "no answer in time"));
}

static void an_answer_without_end_is_given_up(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
	struct answer *answer = says_text("/state", head);
	struct api_options options = { .nsfd = NETNS_OWN, .timeout_ms = 60000 };

	(void)state;
	answer->bytes = realloc(answer->bytes, API_BODY_MAX + 4096);
	memset(answer->bytes + answer->len, '{', API_BODY_MAX + 4096 - answer->len);
	answer->len = API_BODY_MAX + 4096;
	answer->hang = true;
	assert_non_null(strstr(text(asked(&options, 1), "problem"), "larger than 64 MiB"));
}

static void a_question_can_be_dropped(void **state)
{
	struct api_options options = { .url = url, .nsfd = NETNS_OWN, .timeout_ms = 50 };
	struct api *api;

	(void)state;
	says_file("/state", "200 OK", "tests/data/mesos/api/state.json");
	assert_int_equal(api_new(base, &options, &api, NULL), 0);
	assert_int_equal(api_ask(api, 1, &facts.sink), 0);
	assert_true(api_is_asking(api));
	assert_int_equal(api_ask(api, 2, &facts.sink), -EBUSY);
	event_base_loop(base, EVLOOP_ONCE);
	api_free(api);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(json_array_size(facts.all), 0);
}

static void the_same_client_asks_again(void **state)
{
	struct api_options options = { .url = url, .nsfd = NETNS_OWN };
	struct api *api;

	(void)state;
	says_file("/state", "200 OK", "tests/data/mesos/api/state.json");
	assert_int_equal(api_new(base, &options, &api, NULL), 0);
	for (uint32_t round = 1; round <= 3; round++) {
		assert_int_equal(api_ask(api, round, &facts.sink), 0);
		await_answer(api);
	}
	assert_int_equal(facts_count(&facts, "api"), 3);
	assert_int_equal(facts_count(&facts, "api_executor"), 6);
	api_free(api);
}

static void credentials_are_sent_as_they_are_written(void **state)
{
	static const struct {
		const char *file;
		const char *header;
	} cases[] = {
		{ "user:pass\n", "Authorization: Basic dXNlcjpwYXNz\r\n" },
		{ "a:bc", "Authorization: Basic YTpiYw==\r\n" },
		{ "Aladdin:open sesame", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n" },
		{ "user:p\xc3\xa4ss", "Authorization: Basic dXNlcjpww6Rzcw==\r\n" },
		{ "user:pass word\n", "Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n" },
		{ "user pass\n", "Authorization: Basic dXNlcjpwYXNz\r\n" },
		{ "user  pass \n", "Authorization: Basic dXNlcjpwYXNz\r\n" },
		{ "user a:b\n", "Authorization: Basic dXNlcjphOmI=\r\n" },
		{ "{\n  \"principal\": \"user\",\n  \"secret\": \"pass\"\n}\n",
		  "Authorization: Basic dXNlcjpwYXNz\r\n" },
		{ "token=eyJ0.x-y\n", "Authorization: token=eyJ0.x-y\r\n" },
		{ "Bearer eyJ0\r\n", "Authorization: Bearer eyJ0\r\n" },
	};

	(void)state;
	assert_int_equal(dir_make(), 0);
	says_file("/state", "200 OK", "tests/data/mesos/api/state.json");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ew_addr here =
			addr_from_v4("\x7f\0\0\1", (uint16_t)atoi(strrchr(url, ':') + 1));
		struct api_options options = { .nsfd = NETNS_OWN, .agent = &here };
		char *header = NULL;

		file_write(dir_at("c"), cases[i].file, strlen(cases[i].file));
		assert_int_equal(chmod(dir_at("c"), 0600), 0);
		assert_int_equal(credential_read(dir_at("c"), &header, NULL), 0);
		options.authorization = header;
		asked(&options, 1);
		if (!strstr(last_request, cases[i].header))
			fail_msg("%s is sent as: %s", cases[i].file, last_request);
		free(header);
	}
	asked(NULL, 1);
	assert_null(strstr(last_request, "Authorization"));
	dir_remove();
}

/* In plain text, to the agent of this host alone: at its address, or at ours if it has them all. */
static void a_credential_is_for_the_agent_alone(void **state)
{
	const uint16_t port = (uint16_t)atoi(strrchr(url, ':') + 1);
	const struct {
		struct ew_addr agent;
		int err;
	} cases[] = {
		{ addr_from_v4("\x7f\0\0\1", port), 0 },
		{ addr_from_v4("\0\0\0\0", port), 0 },
		{ addr_from_v4("\x7f\0\0\1", port + 1), -EPERM },
		{ addr_from_v4("\x7f\0\0\2", port), -EPERM },
	};
	struct api_options options = { .url = url, .nsfd = NETNS_OWN, .authorization = "token=x" };
	struct error error = { 0 };
	struct api *api;

	(void)state;
	assert_int_equal(api_new(base, &options, &api, &error), -EPERM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		options.agent = &cases[i].agent;
		assert_int_equal(api_new(base, &options, &api, &error), cases[i].err);
		if (!cases[i].err)
			api_free(api);
	}
}

static void an_agent_in_another_namespace_is_asked_there(void **state)
{
	struct api_options options = { .nsfd = NETNS_OWN };
	uint64_t inode;
	int home;

	(void)state;
	if (geteuid() != 0)
		skip();
	says_file("/state", "200 OK", "tests/data/mesos/api/state.json");
	home = netns_open_pid(getpid(), &inode);
	assert_true(home >= 0);
	assert_int_equal(netns_make(), 0); /* the listener stays behind */
	assert_string_not_equal(text(asked(&options, 1), "problem"), "");
	options.nsfd = home;
	assert_string_equal(text(asked(&options, 2), "problem"), "");
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	close(home);
}

static void ask_and_wait(const struct api_options *options, uint32_t round)
{
	struct api_question *question;

	assert_int_equal(api_ask_begin(options, round, &facts.sink, &question, NULL), 0);
	api_ask_end(question);
}

static void asking_and_waiting_needs_no_loop(void **state)
{
	struct api_options options = { .url = "http://127.0.0.1:18051", .nsfd = NETNS_OWN };
	char serve[128], *env[] = { NULL };
	const char *args[] = { serve, NULL };
	struct child child;

	(void)state;
	assert_int_equal(dir_make(), 0);
	run("{ printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'; cat tests/data/mesos/api/state.json; } > %s",
	    dir_at("answer"));
	snprintf(serve, sizeof(serve), "serve=18051,%s", dir_at("answer"));
	child = child_start("/proc/self/exe", args, env, 0);
	ask_and_wait(&options, 3);
	child_end(&child);
	assert_string_equal(text(facts_nth(&facts, "api", NULL, NULL, 0), "version"), "1.12.0");
	assert_int_equal(facts_count(&facts, "api_executor"), 2);
	ask_and_wait(&options, 4);
	if (!strstr(text(facts_nth(&facts, "api", NULL, NULL, 1), "problem"), "refused"))
		fail_msg("%s", text(facts_nth(&facts, "api", NULL, NULL, 1), "problem"));
	dir_remove();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int group_setup(void **state)
{
	(void)state;
	/* The host's network is not touched, and its ports cannot be in our way. */
	return geteuid() == 0 ? netns_make() : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_real_agents_state_is_told),
		TEST(while_the_agent_recovers_its_flags_are_told),
		TEST(an_agent_that_recovers_and_hides_its_flags_recovers_all_the_same),
		TEST(an_agent_that_recovers_and_then_hangs_recovers_all_the_same),
		TEST(a_chunked_answer_is_complete_while_the_stream_goes_on),
		TEST(a_refusal_is_a_problem),
		TEST(what_is_no_agent_is_a_problem),
		TEST(an_agent_that_never_answers_is_given_up),
		TEST(an_answer_without_end_is_given_up),
		TEST(a_question_can_be_dropped),
		TEST(the_same_client_asks_again),
		TEST(credentials_are_sent_as_they_are_written),
		TEST(a_credential_is_for_the_agent_alone),
		TEST(an_agent_in_another_namespace_is_asked_there),
		TEST(asking_and_waiting_needs_no_loop),
	};

	child_main(argc, argv);
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
