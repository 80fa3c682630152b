/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A node made by hand: an agent that listens and answers, executors with links, a task, a monitor,
 * a firewall that tracks, and a real agent's checkpoints. All in a network namespace of its own.
 */
#include "test_observe.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

#include "base/agent_ports.h"
#include "observe/agent/api.h"
#include "observe/bpf/observer.h"
#include "observe/scan.h"

#define PORT	  25051 /* not 5051: somebody else's agent may be on this host */
#define SLAVE	  "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0"
#define FRAMEWORK "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000"
#define RUN	  "70c332d8-b506-4f13-a492-4cd514dc0924"
#define WEB	  "work/meta/slaves/" SLAVE "/frameworks/" FRAMEWORK "/executors/web/runs/"

static struct facts facts;
static struct child agent, executor, task, monitor;

static const char *work_dir_option(const char *path)
{
	static char option[256];

	snprintf(option, sizeof(option), "--work_dir=%s", path);
	return option;
}

static void start_agent(const char *first, const char *second, int namespaces)
{
	char serve[128], *env[] = { NULL };
	const char *args[] = { first, second, serve, NULL };

	snprintf(serve, sizeof(serve), "serve=%d,%s", PORT, dir_at("answer"));
	agent = child_start(child_name("mesos-agent"), args, env, namespaces);
}

static struct child start_executor(const char *name, const char *id, const char *const *args)
{
	char executor_id[64], directory[512];
	char *env[] = { "MESOS_SLAVE_PID=slave(1)@127.0.0.1:25051",
			"MESOS_SLAVE_ID=" SLAVE,
			"MESOS_FRAMEWORK_ID=" FRAMEWORK,
			"MESOS_CHECKPOINT=1",
			executor_id,
			directory,
			NULL };

	snprintf(executor_id, sizeof(executor_id), "MESOS_EXECUTOR_ID=%s", id);
	snprintf(directory, sizeof(directory),
		 "MESOS_DIRECTORY=%s/slaves/%s/frameworks/%s/"
		 "executors/%s/runs/" RUN,
		 dir_at("work"), SLAVE, FRAMEWORK, id);
	return child_start(child_name(name), args, env, 0);
}

/* The agent's answer, in which its own libprocess address has that port. */
static void answer_with_port(int port)
{
	run("{ printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'; sed 's/\"slave(1)@127.0.0.1:5051\"/"
	    "\"slave(1)@127.0.0.1:%d\"/' tests/data/mesos/api/state.json; } > %s",
	    port, dir_at("answer"));
}

static int setup(void **state)
{
	static const char *const links[] = { "connect=25051", "listen=0", NULL };
	static const char *const nothing[] = { NULL };
	char *no_env[] = { NULL };

	(void)state;
	facts_init(&facts);
	if (dir_make() < 0 || netns_make() < 0)
		return -1;
	run("mkdir %s && cp -r tests/data/mesos/meta %s", dir_at("work"), dir_at("work/meta"));
	if (symlink(SLAVE, dir_at("work/meta/slaves/latest")) < 0 ||
	    symlink(RUN, dir_at(WEB "latest")) < 0)
		return -1;
	answer_with_port(PORT);
	nft("add table inet t\nadd chain inet t i { type filter hook input priority 0; }\n"
	    "add rule inet t i ct state established accept\n");
	start_agent(work_dir_option(dir_at("work")), "x", 0);
	executor = start_executor("mesos-executor", "web", links);
	task = start_executor("sleep", "web", nothing);
	monitor = child_start(child_name("monitor"), links, no_env, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	child_end(&agent);
	child_end(&executor);
	child_end(&task);
	child_end(&monitor);
	facts_free(&facts);
	return dir_remove();
}

static uint32_t surveyed(const struct scan_options *more, uint32_t scope)
{
	struct scan_options options = { 0 };
	struct scan *node_scan;
	uint32_t done;

	if (more)
		options = *more;
	options.port = PORT;
	facts_clear(&facts);
	assert_int_equal(scan_new(&options, &node_scan, NULL), 0);
	done = scan_run(node_scan, scope, &facts.sink);
	scan_free(node_scan);
	return done;
}

/* The nth socket that the process holds and that is in that state. */
static const json_t *socket_of(const struct child *child, int64_t state, size_t nth)
{
	const json_t *fact, *found;
	size_t i;

	json_array_foreach(facts.all, i, fact)
	{
		if (strcmp(text(fact, "type"), "holder") != 0 || number(fact, "pid") != child->pid)
			continue;
		found = facts_with(&facts, "socket", "cookie", number(fact, "cookie"));
		if (found && number(found, "state") == state && nth-- == 0)
			return found;
	}
	return NULL;
}

static bool ends_with(const char *whole, const char *end)
{
	size_t len = strlen(whole), end_len = strlen(end);

	return len >= end_len && strcmp(whole + len - end_len, end) == 0;
}

/* All that is known however the sockets were found. */
static void check_node(void)
{
	const json_t *process, *link, *entry;

	process = facts_with(&facts, "process", "pid", executor.pid);
	assert_string_equal(text(process, "executor_id"), "web");
	assert_non_null(facts_with(&facts, "process", "pid", task.pid));
	assert_string_equal(text(facts_with(&facts, "process", "pid", monitor.pid), "comm"),
			    "monitor");
	assert_string_equal(text(facts_with(&facts, "agent", "pid", agent.pid), "comm"),
			    "mesos-agent");
	assert_string_equal(text(facts_with(&facts, "agent", "pid", agent.pid), "listen"),
			    "127.0.0.1:25051");
	assert_int_equal(facts_count(&facts, "agent"), 1);
	link = socket_of(&executor, 1, 0);
	assert_non_null(link);
	assert_true(ends_with(text(link, "remote"), ":25051"));
	assert_int_equal(number(link, "netns"), number(process, "netns"));
	assert_true(number(link, "idle_ns") >= 0);
	/* The agent's end of it is there too. */
	assert_non_null(facts_find(&facts, "socket", "remote", text(link, "local")));
	assert_string_equal(
		text(facts_with(&facts, "tracking", "netns", number(process, "netns")), "in_force"),
		"yes");
	entry = facts_with(&facts, "entry", "cookie", number(link, "cookie"));
	assert_string_equal(text(entry, "present"), "yes");
	assert_string_equal(text(facts_find(&facts, "checkpoint", "executor_id", "web"), "upid"),
			    "executor(1)@127.0.0.1:42593");
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "path"),
			    dir_at("work"));
	assert_string_equal(text(facts_nth(&facts, "api", NULL, NULL, 0), "slave_id"), SLAVE);
	assert_string_equal(text(facts_nth(&facts, "api", NULL, NULL, 0), "url"),
			    "http://127.0.0.1:25051");
	assert_non_null(facts_find(&facts, "api_executor", "executor_id", "web"));
}

static void a_scan_emits_the_whole_node(void **state)
{
	size_t last;

	(void)state;
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_ALL);
	check_node();
	/* Where it listens for its agent; the task does not. */
	assert_non_null(socket_of(&executor, 10, 0));
	assert_null(socket_of(&task, 10, 0));
	last = json_array_size(facts.all) - 1;
	assert_string_equal(text(json_array_get(facts.all, 0), "phase"), "begin");
	assert_int_equal(number(json_array_get(facts.all, 0), "scope"), SCAN_ALL);
	assert_string_equal(text(json_array_get(facts.all, last), "phase"), "end");
	assert_int_equal(number(json_array_get(facts.all, last), "scope"), SCAN_ALL);
}

static int sockets_by_bpf(void *ctx, const struct fact_sink *sink, struct error *error)
{
	return ew_bpf_scan(ctx, sink, error);
}

static void a_scan_by_bpf_emits_the_same(void **state)
{
	struct ew_bpf_options watch_options = { .agent_port = PORT };
	struct scan_options options = { .bpf_scan = sockets_by_bpf };
	struct error error = { 0 };
	struct ew_bpf *watch;

	(void)state;
	if (ew_bpf_open(&watch_options, &facts.sink, &watch, &error) < 0)
		skip();
	options.bpf_scan_ctx = watch;
	assert_int_equal(surveyed(&options, SCAN_ALL), SCAN_ALL);
	ew_bpf_free(watch);
	check_node();
}

/*
 * Between two steps live events are read: each step does so little that they do not pile up. So
 * 300 processes take many steps.
 */
static void a_large_node_is_scanned_in_small_steps(void **state)
{
	struct scan_options options = { .port = PORT };
	size_t steps = 0;
	pid_t pids[300];
	struct scan *scan;

	(void)state;
	assert_int_equal(scan_new(&options, &scan, NULL), 0);
	for (size_t i = 0; i < 300; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	for (scan_begin(scan, SCAN_SOCKETS, &facts.sink); scan_step(scan);)
		steps++;
	for (size_t i = 0; i < 300; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	scan_free(scan);
	assert_true(steps > 2 * 300 / 16); /* for processes, and again for descriptors */
}

static void a_scan_that_is_dropped_leaves_nothing_behind(void **state)
{
	struct scan_options options = { .port = PORT };
	struct scan *scan;

	(void)state;
	assert_int_equal(scan_new(&options, &scan, NULL), 0);
	for (int steps = 1; steps < 40; steps++) {
		bool more = true;

		/* The agent of this test answers slowly: only the last of these asks it. */
		scan_begin(scan, SCAN_ALL & ~(steps < 39 ? SCAN_API : 0), &facts.sink);
		for (int i = 0; i < steps && more; i++)
			more = scan_step(scan);
	}
	facts_clear(&facts);
	assert_int_equal(scan_run(scan, SCAN_ALL, &facts.sink), SCAN_ALL);
	scan_free(scan);
	check_node();
}

/* What was put last of a process is what counts. */
static const json_t *last_process(pid_t pid)
{
	const json_t *fact, *last = NULL;
	size_t i;

	json_array_foreach(facts.all, i, fact) if (strcmp(text(fact, "type"), "process") == 0 &&
						   number(fact, "pid") == pid) last = fact;
	return last;
}

/* With any number of free descriptors: all was read, or it is said that something was not. */
static void without_descriptors_a_scan_is_not_complete(void **state)
{
	static const uint32_t scope = SCAN_PROCESSES | SCAN_SOCKETS;
	struct scan_options options = { .port = PORT };
	struct rlimit all, few;
	size_t complete = 0, incomplete = 0;
	struct scan *node_scan;

	(void)state;
	assert_int_equal(scan_new(&options, &node_scan, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	for (rlim_t n = 3; n < 64; n++) {
		uint32_t done;

		facts_clear(&facts);
		few = (struct rlimit){ .rlim_cur = n, .rlim_max = all.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		done = scan_run(node_scan, scope, &facts.sink);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
		if (done != scope || facts_count(&facts, "unread")) {
			incomplete++;
			continue;
		}
		complete++;
		assert_non_null(facts_with(&facts, "agent", "pid", agent.pid));
		assert_non_null(facts_with(&facts, "process", "pid", executor.pid));
		assert_non_null(facts_with(&facts, "process", "pid", monitor.pid));
		assert_non_null(socket_of(&executor, TCP_ESTABLISHED, 0));
		assert_non_null(socket_of(&agent, TCP_LISTEN, 0));
	}
	scan_free(node_scan);
	assert_true(complete > 0 && incomplete > 0);
}

/* A task that talks to the agent too; an executor without a link: only who listens tells. */
static void who_listens_is_told_where_the_link_does_not_tell_the_executor(void **state)
{
	static const char *const both[] = { "connect=25051", "listen=0", NULL };
	static const char *const links[] = { "connect=25051", NULL };
	char map[256];
	const char *listens[] = { "listen=0", map, NULL };
	struct ew_bpf_options watch_options = { .agent_port = PORT };
	struct scan_options options = { .bpf_scan = sockets_by_bpf };
	struct child talker, lonely;
	struct ew_bpf *watch;
	struct error error = { 0 };

	(void)state;
	if (ew_bpf_open(&watch_options, &facts.sink, &watch, &error) < 0)
		skip();
	options.bpf_scan_ctx = watch;
	file_write(dir_at("libmesos-1.0.4.so"), "library", 7);
	snprintf(map, sizeof(map), "map=%s", dir_at("libmesos-1.0.4.so"));
	child_end(&executor);
	executor = start_executor("mesos-executor", "web", both);
	talker = start_executor("curl", "web", links);
	lonely = start_executor("mesos-executor", "lonely", listens);
	assert_int_equal(surveyed(&options, SCAN_SOCKETS), SCAN_SOCKETS | SCAN_PROCESSES);
	ew_bpf_free(watch);
	assert_non_null(socket_of(&executor, 10, 0));
	assert_non_null(socket_of(&lonely, 10, 0));
	/* It may be the executor: its library is looked for all the same. */
	assert_string_equal(text(last_process(lonely.pid), "library_version"), "1.0.4");
	assert_non_null(socket_of(&talker, 1, 0));
	assert_null(socket_of(&monitor, 10, 0));
	child_end(&talker);
	child_end(&lonely);
}

static int bpf_that_fails(void *ctx, const struct fact_sink *sink, struct error *error)
{
	(void)ctx;
	(void)sink;
	return error_set(error, -EPERM, NULL, "walk by BPF");
}

static void a_failed_bpf_scan_is_reported_and_replaced(void **state)
{
	struct scan_options options = { .bpf_scan = bpf_that_fails };

	(void)state;
	assert_int_equal(surveyed(&options, SCAN_ALL), SCAN_ALL);
	check_node();
	assert_non_null(facts_find(&facts, "unread", "object", "sockets by BPF"));
}

static void a_forgotten_link_has_no_entry(void **state)
{
	const json_t *link;

	(void)state;
	surveyed(NULL, SCAN_TRACKING);
	link = socket_of(&executor, 1, 0);
	run("conntrack -D -p tcp --sport %s >/dev/null 2>&1",
	    strrchr(text(link, "local"), ':') + 1);
	assert_int_equal(surveyed(NULL, SCAN_TRACKING),
			 SCAN_TRACKING | SCAN_SOCKETS | SCAN_PROCESSES);
	link = socket_of(&executor, 1, 0);
	assert_string_equal(
		text(facts_with(&facts, "entry", "cookie", number(link, "cookie")), "present"),
		"no");
	link = socket_of(&monitor, 1, 0);
	assert_string_equal(
		text(facts_with(&facts, "entry", "cookie", number(link, "cookie")), "present"),
		"yes");
	assert_int_equal(facts_count(&facts, "checkpoint"), 0);
	assert_int_equal(facts_count(&facts, "api"), 0);
}

/* execwatch stands outside: the host, and the agent and its executors in another namespace. */
static void a_node_in_another_namespace_is_found(void **state)
{
	uint64_t inside = netns_own();

	(void)state;
	assert_int_equal(netns_make(), 0);
	assert_int_not_equal(netns_own(), inside);
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_ALL);
	check_node();
	assert_int_equal(number(facts_with(&facts, "agent", "pid", agent.pid), "netns"), inside);
}

/* Nobody there has a Mesos environment: the namespace is found by who listens in it. */
static void an_agent_without_executors_is_found_in_another_namespace(void **state)
{
	uint64_t inside = netns_own();

	(void)state;
	child_end(&executor);
	child_end(&task);
	child_end(&monitor);
	assert_int_equal(netns_make(), 0);
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_ALL);
	assert_int_equal(number(facts_with(&facts, "agent", "pid", agent.pid), "netns"), inside);
	assert_string_equal(
		text(facts_with(&facts, "tracking", "netns", (int64_t)inside), "in_force"), "yes");
	assert_string_equal(text(facts_nth(&facts, "api", NULL, NULL, 0), "slave_id"), SLAVE);
}

/*
 * A container may use the agent's port for itself, or be a node of its own. All are emitted; the
 * agent here is asked.
 */
static void of_several_listeners_the_agent_is_asked(void **state)
{
	static const char *const args[] = { "listen=25051", NULL };
	char *env[] = { NULL };
	int inside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct child nginx, other;

	(void)state;
	child_end(&agent);
	assert_int_equal(netns_make(), 0);
	nginx = child_start(child_name("nginx"), args, env, 0);
	assert_int_equal(setns(inside, CLONE_NEWNET), 0);
	start_agent(work_dir_option(dir_at("work")), "x", 0);
	assert_int_equal(netns_make(), 0);
	other = child_start(child_name("mesos-agent"), args, env, 0);
	assert_int_equal(setns(inside, CLONE_NEWNET), 0);
	close(inside);
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_ALL);
	assert_string_equal(text(facts_with(&facts, "agent", "pid", nginx.pid), "comm"), "nginx");
	assert_non_null(facts_with(&facts, "agent", "pid", other.pid));
	assert_int_equal(number(facts_nth(&facts, "agent", NULL, NULL, 2), "pid"), agent.pid);
	assert_string_equal(text(facts_nth(&facts, "api", NULL, NULL, 0), "slave_id"), SLAVE);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "path"),
			    dir_at("work"));
	child_end(&nginx);
	child_end(&other);
}

static void a_node_without_an_agents_files_is_told_so(void **state)
{
	(void)state;
	if (access("/var/lib/mesos", F_OK) == 0)
		skip();
	teardown(NULL);
	facts_init(&facts);
	assert_int_equal(dir_make(), 0);
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_PROCESSES | SCAN_SOCKETS | SCAN_TRACKING);
	assert_non_null(strstr(
		text(facts_find(&facts, "unread", "object", "the agent's checkpoints"), "reason"),
		"--work-dir"));
	assert_int_equal(facts_count(&facts, "work_dir"), 0);
}

static void an_agent_that_is_down_leaves_its_files_and_links(void **state)
{
	(void)state;
	child_end(&agent);
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_ALL & ~SCAN_API);
	assert_int_equal(facts_count(&facts, "agent"), 0);
	assert_int_equal(facts_count(&facts, "api"), 0);
	assert_non_null(facts_with(&facts, "process", "pid", executor.pid));
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "path"),
			    dir_at("work"));
	assert_non_null(facts_find(&facts, "checkpoint", "executor_id", "web"));
}

static int ports_note(void *ctx, const struct agent_ports *ports)
{
	*(struct agent_ports *)ctx = *ports;
	return 0;
}

/* A connection to that port is shown in the same scan, which begins and ends once. */
static void check_port_learnt(uint16_t port, const char *source)
{
	struct agent_ports told = { { 0 } };
	struct scan_options options = { .set_ports = ports_note, .set_ports_ctx = &told };
	int listener = listen_on(AF_INET, port), client = connect_to(AF_INET, port);

	surveyed(&options, SCAN_ALL);
	assert_int_equal(facts_count(&facts, "port"), 1);
	assert_int_equal(number(facts_find(&facts, "port", "source", source), "port"), port);
	assert_int_equal(told.v[0], PORT);
	assert_int_equal(told.v[1], port);
	assert_int_equal(told.v[2], 0);
	assert_non_null(facts_with(&facts, "socket", "cookie", (int64_t)cookie_of(client)));
	assert_int_equal(facts_count(&facts, "survey"), 2);
	close(client);
	close(listener);
}

static void a_port_that_the_agent_advertises_by_its_flags_is_learnt(void **state)
{
	(void)state;
	child_end(&agent);
	start_agent(work_dir_option(dir_at("work")), "--advertise_port=25052", 0);
	check_port_learnt(25052, "flags");
}

static void a_port_that_the_agent_advertises_by_its_api_is_learnt(void **state)
{
	(void)state;
	answer_with_port(25053);
	child_end(&agent);
	start_agent(work_dir_option(dir_at("work")), "x", 0);
	check_port_learnt(25053, "api");
}

/* slave.info names 5051, and nobody who is there says otherwise. */
static void without_the_agent_its_slave_info_counts(void **state)
{
	(void)state;
	child_end(&agent);
	check_port_learnt(5051, "disk");
}

static void the_agents_word_outranks_its_slave_info(void **state)
{
	(void)state;
	surveyed(NULL, SCAN_ALL);
	assert_int_equal(facts_count(&facts, "port"), 0);
}

static void an_agent_in_a_mount_namespace_is_read_through_its_root(void **state)
{
	char bind[256], expected[256];

	(void)state;
	child_end(&agent);
	child_end(&executor);
	child_end(&task);
	assert_int_equal(mkdir(dir_at("inside"), 0755), 0);
	snprintf(bind, sizeof(bind), "bind=%s,%s", dir_at("work"), dir_at("inside"));
	start_agent(bind, work_dir_option(dir_at("inside")), CLONE_NEWNS);
	assert_int_equal(surveyed(NULL, SCAN_ALL), SCAN_ALL);
	snprintf(expected, sizeof(expected), "/proc/%d/root%s", agent.pid, dir_at("inside"));
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "path"), expected);
	assert_int_equal(facts_count(&facts, "checkpoint"), 1);
}

static void a_named_work_directory_is_taken_as_it_is(void **state)
{
	struct scan_options options = { 0 };

	(void)state;
	options.work_dir = dir_at("not there");
	assert_int_equal(surveyed(&options, SCAN_CHECKPOINTS), 0);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "readable"), "no");
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "path"),
			    dir_at("not there"));
}

static void inherited_copies_of_a_link_are_all_told(void **state)
{
	const char *args[] = { "connect=25051", "fork=1", NULL };
	const json_t *link, *fact;
	size_t i, n = 0;

	(void)state;
	child_end(&executor);
	executor = start_executor("mesos-executor", "web", args);
	surveyed(NULL, SCAN_SOCKETS);
	link = socket_of(&executor, 1, 0);
	json_array_foreach(facts.all, i, fact) n +=
		strcmp(text(fact, "type"), "holder") == 0 &&
		number(fact, "cookie") == number(link, "cookie");
	assert_int_equal(n, 2);
}

static void the_api_can_be_asked_without_waiting(void **state)
{
	struct scan_options options = { .port = PORT, .authorization = "token=x" };
	struct api_options api;
	struct scan *node_scan;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(scan_new(&options, &node_scan, NULL), 0);
	assert_int_equal(scan_api_options(node_scan, &api, &error), -ENOENT);
	assert_non_null(strstr(error.message, "nothing listens on port 25051"));
	scan_run(node_scan, SCAN_SOCKETS, &facts.sink);
	assert_int_equal(scan_api_options(node_scan, &api, &error), 0);
	assert_string_equal(api.url, "http://127.0.0.1:25051");
	assert_string_equal(api.authorization, "token=x");
	assert_true(api.nsfd >= 0);
	close(api.nsfd);
	assert_int_equal(scan_api_answer_nr(node_scan), 1);
	assert_int_equal(scan_api_answer_nr(node_scan), 2);
	scan_free(node_scan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_scan_emits_the_whole_node),
		TEST(a_port_that_the_agent_advertises_by_its_flags_is_learnt),
		TEST(a_port_that_the_agent_advertises_by_its_api_is_learnt),
		TEST(without_the_agent_its_slave_info_counts),
		TEST(the_agents_word_outranks_its_slave_info),
		TEST(a_large_node_is_scanned_in_small_steps),
		TEST(a_scan_that_is_dropped_leaves_nothing_behind),
		TEST(a_scan_by_bpf_emits_the_same),
		TEST(without_descriptors_a_scan_is_not_complete),
		TEST(who_listens_is_told_where_the_link_does_not_tell_the_executor),
		TEST(a_failed_bpf_scan_is_reported_and_replaced),
		TEST(a_forgotten_link_has_no_entry),
		TEST(a_node_in_another_namespace_is_found),
		TEST(an_agent_without_executors_is_found_in_another_namespace),
		TEST(of_several_listeners_the_agent_is_asked),
		TEST(a_node_without_an_agents_files_is_told_so),
		TEST(an_agent_that_is_down_leaves_its_files_and_links),
		TEST(an_agent_in_a_mount_namespace_is_read_through_its_root),
		TEST(a_named_work_directory_is_taken_as_it_is),
		TEST(inherited_copies_of_a_link_are_all_told),
		TEST(the_api_can_be_asked_without_waiting),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
