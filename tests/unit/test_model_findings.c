/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings: what facts about the node and the next start make of them. */
#include "model/finding_table.h"

#include "node_audit.h"

/* The finding of that id in an audit; .id is NULL where there is none. Texts are not kept. */
static struct report_finding finding_of(struct node *n, const char *id)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	struct report_finding found = { 0 };

	for (size_t i = 0; i < report->n_findings; i++)
		if (strcmp(report->findings[i].id, id) == 0)
			found = report->findings[i];
	report_free(report);
	return found;
}

static bool has_evidence(struct node *n, const char *id, const char *part)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	bool has = false;

	for (size_t i = 0; i < report->n_findings; i++)
		has |= strcmp(report->findings[i].id, id) == 0 &&
		       strstr(report->findings[i].evidence, part);
	report_free(report);
	return has;
}

static int exit_code_now(struct node *n)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	int code = report->exit_code;

	report_free(report);
	return code;
}

static void emit_full_table(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_CT_ACTIVE,
				    .ct_active = { .netns = n->agent_ns,
						   .in_force = EW_YES,
						   .entries = 1000,
						   .limit = 1000 } });
}

static void an_ignored_finding_does_not_count(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	emit_full_table(n);
	assert_false(finding_of(n, "conntrack-full").ignored);
	assert_int_equal(exit_code_now(n), 2);
	n->ignored = "v1-backoff,conntrack-full";
	node_window(n);
	assert_true(finding_of(n, "conntrack-full").ignored);
	assert_int_equal(finding_of(n, "conntrack-full").severity, SEVERITY_CRITICAL);
	assert_int_equal(exit_code_now(n), 0);
	n->ignored = "conntrack-ful,conntrack-full-";
	node_window(n);
	assert_int_equal(exit_code_now(n), 2);
	node_free(n);
}

/* More findings than any first allocation holds. */
static void every_finding_is_kept(void **state)
{
	struct report *report;
	size_t found = 0;

	one(n, .entry = EW_YES);
	(void)state;
	node_snapshot(n);
	for (int i = 0; i < 9; i++)
		node_emit(n, (struct fact){ .type = FACT_AGENT,
					    .agent = { .pid = 9000 + i,
						       .start = 1,
						       .comm = "evil",
						       .uid_known = EW_YES,
						       .uid = 65534,
						       .listen = node_addr("10.0.0.8:5051"),
						       .netns = n->agent_ns,
						       .cookie = 90000 + (uint64_t)i } });
	report = node_report(n, REPORT_AUDIT);
	for (size_t i = 0; i < report->n_findings; i++)
		found += strcmp(report->findings[i].id, "impostor-agent") == 0;
	assert_int_equal(found, 9);
	report_free(report);
	node_free(n);
}

static void emit_disk(struct node *n, const char *role, uint64_t mib, uint64_t inodes_free,
		      enum ew_tri read_only)
{
	node_emit(n, (struct fact){ .type = FACT_DISK,
				    .disk = { .role = role,
					      .path = "/var/lib/mesos",
					      .bytes = UINT64_C(1) << 40,
					      .bytes_free = mib << 20,
					      .inodes = 1000000,
					      .inodes_free = inodes_free,
					      .read_only = read_only } });
}

static void a_full_disk_is_a_finding(void **state)
{
	static const struct {
		const char *role;
		uint64_t mib, inodes;
		enum ew_tri read_only;
		enum severity want; /* unknown: no finding */
	} cases[] = {
		{ "work", 4, 1000, EW_NO, SEVERITY_UNKNOWN },
		{ "work", 3, 1000, EW_NO, SEVERITY_WARNING },
		{ "work", 4, 999, EW_NO, SEVERITY_WARNING },
		{ "work", 1, 1, EW_NO, SEVERITY_WARNING },
		{ "work", 0, 1000, EW_NO, SEVERITY_CRITICAL },
		{ "work", 4, 0, EW_NO, SEVERITY_CRITICAL },
		{ "runtime", 4, 1000, EW_YES, SEVERITY_CRITICAL },
		{ "log", 0, 0, EW_NO, SEVERITY_WARNING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		one(n, .entry = EW_YES);
		node_snapshot(n);
		emit_disk(n, cases[i].role, cases[i].mib, cases[i].inodes, cases[i].read_only);
		if (finding_of(n, "disk-full").severity != cases[i].want)
			fail_msg("case %zu: %d", i, finding_of(n, "disk-full").severity);
		emit_disk(n, cases[i].role, 4, 1000, EW_NO);
		assert_null(finding_of(n, "disk-full").id);
		node_free(n);
	}
}

/* A checkpoint of the serving agent's id. */
static void emit_run(struct node *n, const char *id, int pid, bool completed, uint32_t uid)
{
	node_emit(n, (struct fact){ .type = FACT_CHECKPOINT,
				    .checkpoint = { .slave_id = NODE_AGENT_ID,
						    .framework_id = "F",
						    .executor_id = id,
						    .container_id = id,
						    .forked_pid = pid,
						    .upid = "executor(1)@10.0.0.7:1",
						    .completed = completed,
						    .latest = true,
						    .owner_known = EW_YES,
						    .uid = uid } });
}

static void two_runs_of_one_process(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	emit_run(n, "a", 77, false, 0);
	emit_run(n, "b", 77, true, 0);
	emit_run(n, "c", 78, false, 0);
	emit_run(n, "d", 0, false, 0);
	emit_run(n, "e", 0, false, 0);
	assert_null(finding_of(n, "duplicate-pid").id);
	emit_run(n, "f", 77, false, 0);
	assert_int_equal(finding_of(n, "duplicate-pid").severity, SEVERITY_CRITICAL);
	node_free(n);
}

static void checkpoints_of_another_user(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	node_snapshot(n);
	emit_run(n, "a", 77, false, 7);
	assert_null(finding_of(n, "checkpoint-owner").id); /* the agent's user is not known */
	node_emit(n, (struct fact){ .type = FACT_AGENT,
				    .agent = { .pid = n->agent,
					       .start = node_start_of(n, n->agent),
					       .comm = n->agent_comm,
					       .listen = n->agent_addr,
					       .netns = n->agent_ns,
					       .cookie = n->listen->cookie,
					       .uid_known = EW_YES } });
	assert_int_equal(finding_of(n, "checkpoint-owner").severity, SEVERITY_WARNING);
	emit_run(n, "a", 77, false, 0);
	assert_null(finding_of(n, "checkpoint-owner").id);
	node_free(n);
}

static void the_link_to_the_agents_checkpoints(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	n->latest_runs = true;
	n->latest = EW_YES;
	node_snapshot(n);
	assert_null(finding_of(n, "no-latest").id);
	n->latest = EW_NO;
	node_snapshot(n);
	assert_int_equal(finding_of(n, "no-latest").severity, SEVERITY_CRITICAL);
	n->latest = EW_UNKNOWN;
	node_snapshot(n);
	assert_null(finding_of(n, "no-latest").id);
	node_free(n);
}

static void checkpoints_of_another_boot(void **state)
{
	one(n, .entry = EW_YES);

	(void)state;
	n->same_boot = EW_NO;
	node_snapshot(n);
	assert_int_equal(finding_of(n, "other-boot").severity, SEVERITY_WARNING);
	n->own_boot = EW_YES; /* of its container */
	node_snapshot(n);
	assert_null(finding_of(n, "other-boot").id);
	node_free(n);
}

static void emit_holder(struct node *n, int pid)
{
	node_emit(n, (struct fact){ .type = FACT_HOLDER,
				    .holder = { .cookie = n->listen->cookie,
						.pid = pid,
						.start = 5,
						.fd = 9 } });
}

/* The agent's cgroup, and one below it, go when its service stops; others stay. */
static void the_listener_of_a_child(void **state)
{
	static const struct {
		const char *kill_mode, *cgroup;
		enum severity want; /* unknown: no finding */
	} cases[] = {
		{ NULL, "/a", SEVERITY_CRITICAL },
		{ "control-group", "/system.slice/mesos.service", SEVERITY_UNKNOWN },
		{ "control-group", "/system.slice/mesos.service/x", SEVERITY_UNKNOWN },
		{ "control-group", "/system.slice/mesos.service2", SEVERITY_CRITICAL },
		{ "control-group", "/mesos_executors.slice", SEVERITY_CRITICAL },
		{ "mixed", "/system.slice/mesos.service", SEVERITY_UNKNOWN },
		{ "process", "/system.slice/mesos.service", SEVERITY_CRITICAL },
		{ "", "/system.slice/mesos.service", SEVERITY_CRITICAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		one(n, .entry = EW_YES);
		n->unit = cases[i].kill_mode ? "mesos.service" : NULL;
		n->kill_mode = cases[i].kill_mode;
		node_snapshot(n);
		assert_null(finding_of(n, "listener-inherited").id);
		node_emit(n, (struct fact){ .type = FACT_PROCESS,
					    .process = { .pid = 5000,
							 .start = 5,
							 .comm = "child",
							 .cgroup = cases[i].cgroup } });
		emit_holder(n, 5000);
		if (finding_of(n, "listener-inherited").severity != cases[i].want)
			fail_msg("case %zu", i);
		node_free(n);
	}
}

static void the_masters_word(void **state)
{
	struct fact fact = { .type = FACT_MASTER,
			     .master = { .url = "http://m:5050",
					 .http_status = 200,
					 .slave_id = NODE_AGENT_ID,
					 .lists_agent = EW_YES } };

	one(n, .entry = EW_YES);
	(void)state;
	node_snapshot(n);
	node_emit(n, fact);
	assert_null(finding_of(n, "master-lacks-agent").id);
	fact.master.lists_agent = EW_NO;
	node_emit(n, fact);
	assert_int_equal(finding_of(n, "master-lacks-agent").severity, SEVERITY_CRITICAL);
	fact.master.slave_id = "another"; /* than the one that serves here */
	node_emit(n, fact);
	assert_null(finding_of(n, "master-lacks-agent").id);
	/* One that only the agent's flag names may not be reachable from here. */
	fact.master.problem = "connection refused";
	node_emit(n, fact);
	assert_null(finding_of(n, "master-unreachable").id);
	fact.master.named = true;
	node_emit(n, fact);
	assert_int_equal(finding_of(n, "master-unreachable").severity, SEVERITY_WARNING);
	node_free(n);
}

static void emit_container(struct node *n, const char *name, const char *running)
{
	node_emit(n, (struct fact){ .type = FACT_CONTAINER,
				    .container = { .name = name, .state = running } });
}

static void emit_docker(struct node *n, enum ew_tri answers, enum ew_tri kill_orphans)
{
	node_emit(n, (struct fact){ .type = FACT_DOCKER,
				    .docker = { .socket = "/run/docker.sock",
						.answers = answers,
						.problem = answers == EW_NO ? "refused" : "",
						.kill_orphans = kill_orphans } });
}

static void containers_of_executors(void **state)
{
	static const struct {
		const char *name, *running;
		bool gone, orphaned;
	} cases[] = {
		{ "mesos-cid7", "running", false, false },
		{ "mesos-" NODE_AGENT_ID ".cid7", "running", false, false },
		{ "mesos-" NODE_AGENT_ID ".cid7.executor", "running", false, false },
		{ "mesos-cid7", "exited", true, false },
		{ "mesos-cid70", "running", true, true },
		{ "mesos-xcid7", "running", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		one(n, .entry = EW_YES, .comm = "mesos-docker-ex", .container = "cid7");
		node_snapshot(n);
		emit_container(n, cases[i].name, cases[i].running);
		emit_docker(n, EW_YES, EW_YES);
		if ((finding_of(n, "container-gone").id != NULL) != cases[i].gone ||
		    (finding_of(n, "container-orphaned").id != NULL) != cases[i].orphaned)
			fail_msg("case %zu", i);
		emit_docker(n, EW_YES, EW_NO);
		assert_null(finding_of(n, "container-orphaned").id);
		/* Without an answer nothing is said of containers. */
		emit_docker(n, EW_NO, EW_YES);
		assert_null(finding_of(n, "container-gone").id);
		assert_int_equal(finding_of(n, "docker-unreachable").severity, SEVERITY_CRITICAL);
		node_free(n);
	}
}

static void commands_that_restart_docker(void **state)
{
	static const struct {
		const char *command;
		bool want;
	} cases[] = {
		{ "systemctl restart mesos-agent", false },
		{ "systemctl restart docker", true },
		{ "sh -c '/bin/systemctl restart docker.service mesos-agent'", true },
		{ "sh -c 'service docker restart; service mesos-slave restart'", true },
		{ "sh -c 'systemctl status docker; systemctl restart mesos-agent'", false },
		{ "systemctl restart mesos-docker", false },
		{ "pkill dockerd", true },
		{ "service docker restart", true },
		{ "sudo -n env A=1 systemctl --no-block try-restart docker.socket", true },
		{ "sh -c 'kill -HUP $(pidof dockerd)'", true },
		{ "bash -ec 'kill \"$(cat /run/docker.pid)\" && exec systemctl start docker'",
		  true },
		{ "apt-get install -y docker-ce=5:20.10 mesos=1.11", true },
		{ "apt-get install -y mesos=1.11", false },
		{ "stop docker", true },
		{ "systemctl restart containerd", true },
		{ "docker restart mesos-agent", false }, /* the agent's own container */
		{ "sh -c 'docker stop agent; docker rm agent; docker run docker/agent'", false },
		{ "sh -c 'echo restart docker later; systemctl restart mesos-agent'", false },
		{ "timeout 60 systemctl restart docker", true },
		{ "/etc/init.d/docker stop", true },
		{ NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		one(n, .entry = EW_YES, .comm = "mesos-docker-ex", .container = "cid7");
		n->command = cases[i].command;
		node_window(n);
		node_snapshot(n);
		if ((finding_of(n, "docker-restart").id != NULL) != cases[i].want)
			fail_msg("'%s'", cases[i].command);
		node_free(n);
	}
}

/* What the script of the command has counts as the command's. */
static void a_script_that_restarts_docker(void **state)
{
	static const char script[] = "systemctl stop mesos-agent\n"
				     "service docker restart || kill -USR1 $(pidof mesos-agent)\n";

	(void)state;
	one(n, .entry = EW_YES, .comm = "mesos-docker-ex", .container = "cid7");
	n->command = "sh /root/upgrade";
	n->script = script;
	node_window(n);
	node_snapshot(n);
	assert_true(has_evidence(n, "docker-restart", ": service docker restart || kill"));
	assert_int_equal(finding_of(n, "stop-sends-sigusr1").severity, SEVERITY_CRITICAL);
	n->script = "systemctl restart mesos-agent";
	node_window(n);
	assert_null(finding_of(n, "docker-restart").id);
	assert_null(finding_of(n, "stop-sends-sigusr1").id);
	node_free(n);
}

/* Told where the master has said how long it waits. */
static void the_executors_patience_and_the_masters(void **state)
{
	struct fact fact = { .type = FACT_MASTER,
			     .master = { .url = "http://m:5050",
					 .slave_id = NODE_AGENT_ID,
					 .lists_agent = EW_YES,
					 .removal_after = 300 * NODE_SECOND } };

	(void)state;
	one(n, .entry = EW_YES);
	node_snapshot(n);
	assert_null(finding_of(n, "recovery-against-master").id);
	node_emit(n, fact);
	assert_int_equal(finding_of(n, "recovery-against-master").severity, SEVERITY_OK);
	assert_true(has_evidence(n, "recovery-against-master",
				 "Executors wait 900 s for an agent, the master at http://m:5050 "
				 "waits 300 s before it removes it."));
	fact.master.removal_after = 900 * NODE_SECOND;
	node_emit(n, fact);
	assert_null(finding_of(n, "recovery-against-master").id);
	fact.master.removal_after = 901 * NODE_SECOND;
	node_emit(n, fact);
	assert_int_equal(finding_of(n, "recovery-against-master").severity, SEVERITY_WARNING);
	node_free(n);
}

/* Measured: 120 executors beside 1,000 busy processes on two cores. */
static void many_executors_on_a_busy_host(void **state)
{
	struct fact fact = { .type = FACT_HOST, .host = { .cpus = 2, .load = 1000 } };
	struct node *n = node_new();

	(void)state;
	for (int i = 0; i < 99; i++) {
		char id[16];

		snprintf(id, sizeof(id), "e%d", i);
		node_executor(n, id, .entry = EW_YES);
	}
	node_snapshot(n);
	node_emit(n, fact);
	assert_null(finding_of(n, "reregister-late").id);
	node_executor(n, "last", .entry = EW_YES);
	node_snapshot(n);
	node_emit(n, fact);
	assert_int_equal(finding_of(n, "reregister-late").severity, SEVERITY_WARNING);
	fact.host.load = 10;
	node_emit(n, fact);
	assert_null(finding_of(n, "reregister-late").id);
	node_free(n);
}

static void versions_that_are_not_promised(void **state)
{
	static const struct {
		const char *agent, *executor;
		bool want;
	} cases[] = {
		{ "1.11.0", "1.0.4", false }, { "1.11.0", "1.11.2", false },
		{ "1.4.3", "1.5.0", true },   { "1.0.4", "0.28.3", false },
		{ "1.11.0", "0.28.3", true }, { "0.28.3", "1.0.4", true },
		{ "", "1.0.4", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		one(n, .entry = EW_YES, .version = cases[i].executor);
		n->agent_version = cases[i].agent;
		node_snapshot(n);
		if ((finding_of(n, "version-mix").id != NULL) != cases[i].want)
			fail_msg("case %zu", i);
		node_free(n);
	}
}

/* Another agent listens and ends with that status, after the first one has ended. */
static void agent_tries(struct node *n, int pid, int status)
{
	node_emit(n, (struct fact){ .type = FACT_AGENT,
				    .agent = { .pid = pid,
					       .start = 9,
					       .comm = "mesos-agent",
					       .listen = n->agent_addr,
					       .netns = n->agent_ns,
					       .cookie = 80000 + (uint64_t)pid } });
	node_emit(n, (struct fact){ .type = FACT_EXIT,
				    .exit = { .pid = pid, .start = 9, .status = status } });
}

static void agents_that_end_within_their_recovery(void **state)
{
	int32_t pid;
	uint64_t start;

	one(n, .entry = EW_YES);
	(void)state;
	node_snapshot(n);
	node_snapshot(n); /* agents of the first scan were there before */
	node_agent_stop(n);
	assert_int_equal(model_failed_starts(n->model, &pid, &start), 0);
	agent_tries(n, 801, 9); /* somebody killed it */
	agent_tries(n, 802, 0);
	assert_int_equal(model_failed_starts(n->model, &pid, &start), 0);
	assert_null(finding_of(n, "recovery-failed").id);
	agent_tries(n, 803, 1 << 8);
	agent_tries(n, 804, 6 | 0x80); /* SIGABRT, with a core */
	assert_int_equal(model_failed_starts(n->model, &pid, &start), 2);
	assert_int_equal(pid, 804);
	assert_int_equal(finding_of(n, "recovery-failed").severity, SEVERITY_CRITICAL);
	/* One that serves settles it. */
	node_agent_start(n);
	n->api_status = 200;
	node_snapshot(n);
	assert_int_equal(model_failed_starts(n->model, &pid, &start), 0);
	assert_null(finding_of(n, "recovery-failed").id);
	node_free(n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ignored_finding_does_not_count),
		cmocka_unit_test(every_finding_is_kept),
		cmocka_unit_test(a_full_disk_is_a_finding),
		cmocka_unit_test(two_runs_of_one_process),
		cmocka_unit_test(checkpoints_of_another_user),
		cmocka_unit_test(the_link_to_the_agents_checkpoints),
		cmocka_unit_test(checkpoints_of_another_boot),
		cmocka_unit_test(the_listener_of_a_child),
		cmocka_unit_test(the_masters_word),
		cmocka_unit_test(containers_of_executors),
		cmocka_unit_test(commands_that_restart_docker),
		cmocka_unit_test(a_script_that_restarts_docker),
		cmocka_unit_test(the_executors_patience_and_the_masters),
		cmocka_unit_test(many_executors_on_a_busy_host),
		cmocka_unit_test(versions_that_are_not_promised),
		cmocka_unit_test(agents_that_end_within_their_recovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
