/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the unit that runs the agent. */
#include "node_audit.h"

#include "model/report.h"

#define UNIT   "mesos-slave.service"
#define CGROUP "/system.slice/" UNIT
#define SLICE  "/mesos_executors.slice"

/* A healthy unit; the executor is in Mesos' slice. */
static struct fact_service usual(const struct node *n)
{
	return (struct fact_service){ .pid = n->agent,
				      .start = node_start_of(n, n->agent),
				      .unit = UNIT,
				      .cgroup = CGROUP,
				      .kill_mode = "process",
				      .from = "systemctl",
				      .main_pid = n->agent,
				      .restart = "always",
				      .send_sigkill = EW_YES,
				      .delegate = EW_YES,
				      .need_reload = EW_NO,
				      .stop_timeout = 90 * NODE_SECOND,
				      .restart_delay = 5 * NODE_SECOND,
				      .file_kill_mode = "process",
				      .changed = EW_NO };
}

static void emit_service(struct node *n, struct fact_service service)
{
	node_emit(n, (struct fact){ .type = FACT_SERVICE, .service = service });
}

/* "id:severity" of the findings, each followed by a blank. Checks that each says all that it
 * should. */
static const char *findings(struct node *n, int exit_code)
{
	static char text[512];
	struct report *report = model_report(n->model, REPORT_AUDIT);

	text[0] = '\0';
	for (size_t i = 0; i < report->n_findings; i++) {
		const struct report_finding *f = &report->findings[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s:%s ", f->id,
			 severity_name(f->severity));
		assert_true(*f->evidence && *f->effect && *f->cure);
	}
	if (report->exit_code != exit_code)
		fail_msg("exit code %d with %s", report->exit_code, text);
	report_free(report);
	return text;
}

/* Changes the usual service, and says what is found. */
#define row(n, want, code, executor, ...)                                                          \
	do {                                                                                       \
		one(n, .cgroup = executor);                                                        \
		struct fact_service s;                                                             \
		node_snapshot(n);                                                                  \
		s = usual(n);                                                                      \
		__VA_ARGS__;                                                                       \
		emit_service(n, s);                                                                \
		assert_string_equal(findings(n, code), want);                                      \
		node_free(n);                                                                      \
	} while (0)

#define LIST(name, ...)                                                                            \
	(s.name = (const char *const[]){ __VA_ARGS__ },                                            \
	 s.n_##name = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void a_usual_unit_has_no_finding(void **state)
{
	(void)state;
	row(n, "", 0, SLICE, (void)s);
	row(n, "", 0, SLICE, s.kill_mode = s.file_kill_mode = "control-group");
	row(n, "", 0, SLICE, s.unit = s.cgroup = "", s.stop_timeout = -1);
	row(n, "", 0, SLICE, s.stop_timeout = 0, s.send_sigkill = EW_UNKNOWN);
}

static void files_that_are_not_loaded(void **state)
{
	(void)state;
	row(n, "unit-not-reloaded:warning ", 1, SLICE, s.need_reload = EW_YES);
	row(n, "unit-not-reloaded:warning ", 1, CGROUP, s.need_reload = EW_YES);
	row(n, "unit-not-reloaded:critical ", 2, CGROUP, s.need_reload = EW_YES,
	    s.file_kill_mode = "mixed");
	row(n, "unit-not-reloaded:warning ", 1, SLICE, s.need_reload = EW_YES,
	    s.file_kill_mode = "mixed");
	row(n, "", 0, SLICE, s.need_reload = EW_UNKNOWN);
}

static void loggers_in_the_units_cgroup(void **state)
{
	(void)state;
	row(n, "", 0, SLICE, LIST(loggers, "77 mesos-logrotate"));
	row(n, "logger-same-fate:critical ", 2, SLICE, LIST(loggers, "77 mesos-logrotate"),
	    s.kill_mode = "control-group");
	row(n, "logger-same-fate:critical ", 2, SLICE, LIST(loggers, "77 mesos-logrotate"),
	    s.kill_mode = "");
}

static void an_agent_below_a_wrapper(void **state)
{
	(void)state;
	row(n, "main-pid-is-a-wrapper:critical ", 2, SLICE, s.main_pid = 4711);
	row(n, "main-pid-is-a-wrapper:critical ", 2, SLICE, s.main_pid = 4711,
	    s.kill_mode = "none");
	row(n, "", 0, SLICE, s.main_pid = 4711, s.kill_mode = "control-group");
	row(n, "", 0, SLICE, s.main_pid = 0);
}

static void clocks(void **state)
{
	(void)state;
	row(n, "stop-unbounded:warning ", 1, SLICE, s.stop_timeout = -1);
	row(n, "stop-unbounded:warning ", 1, SLICE, s.send_sigkill = EW_NO);
	row(n, "restart-delay:warning ", 1, SLICE, s.restart_delay = 900 * NODE_SECOND);
	row(n, "restart-delay:warning ", 1, SLICE, s.restart_delay = 75 * NODE_SECOND);
	row(n, "", 0, SLICE, s.restart_delay = 74 * NODE_SECOND);
}

static void steps_that_may_hang(void **state)
{
	(void)state;
	row(n, "", 0, SLICE, s.start_timeout = -1); /* there is no step */
	row(n, "pre-step-unbounded:warning ", 1, SLICE, s.start_timeout = -1,
	    LIST(file_steps, "ExecStartPre=/bin/a"));
	row(n, "", 0, SLICE, s.start_timeout = -1, LIST(file_steps, "ExecStartPre=-/bin/a"));
	row(n, "pre-step-unbounded:ok ", 0, SLICE, s.start_timeout = 70 * NODE_SECOND,
	    s.restart_delay = 5 * NODE_SECOND, LIST(file_steps, "ExecStartPre=/bin/a"));
	row(n, "", 0, SLICE, s.start_timeout = 69 * NODE_SECOND, s.restart_delay = 5 * NODE_SECOND,
	    LIST(file_steps, "ExecStartPre=/bin/a"));
	row(n, "", 0, SLICE, s.start_timeout = 0, LIST(file_steps, "ExecStartPre=/bin/a"));
}

static void what_runs_before_the_agent(void **state)
{
	(void)state;
	row(n, "start-cannot-run:critical ", 2, SLICE,
	    LIST(missing, "ExecStartPre=/opt/x: No such file or directory"));
	row(n, "", 0, SLICE, LIST(file_steps, "ExecStartPre=/bin/ping -c1 leader.mesos"));
	row(n, "pre-step-untried:warning ", 1, SLICE,
	    LIST(file_steps, "ExecStartPre=/bin/ping -c1 leader.mesos"), s.changed = EW_YES,
	    s.changed_file = "/etc/x.conf");
	row(n, "", 0, SLICE, LIST(file_steps, "ExecStartPre=@-/bin/ping ping"), s.changed = EW_YES);
	row(n, "", 0, SLICE, LIST(file_steps, "ExecStart=/bin/a"), s.changed = EW_YES);
}

static void orders_in_stop_commands(void **state)
{
	(void)state;
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(steps, "ExecStop=/bin/kill -USR1 $MAINPID"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(file_steps, "ExecStop=/bin/kill -s SIGUSR1 $MAINPID"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(steps, "ExecStop=-/bin/sh -c 'kill -10 $(cat /run/agent.pid)'"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(steps, "ExecStop=/bin/kill -s 10 $MAINPID"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(steps, "ExecStop=/bin/systemctl kill --signal=10 mesos-slave"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(steps, "ExecStop=/bin/sh -c 'kill -usr1 $MAINPID'"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStop=/bin/sh -c 'kill $MAINPID; nice -10 x'"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStop=/bin/kill -s 1 -100 $MAINPID"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE, LIST(steps, "KillSignal=SIGUSR1"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE, LIST(steps, "KillSignal=10"));
	row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
	    LIST(steps, "KillSignal=SIGTERM", "RestartKillSignal=SIGUSR1"));
	row(n, "", 0, SLICE, LIST(steps, "KillSignal=15"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStop=/bin/kill -TERM $MAINPID"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStartPost=/bin/kill -USR1 1"));
	row(n, "stop-ends-slice:critical ", 2, SLICE,
	    LIST(steps, "ExecStopPost=/bin/systemctl stop mesos_executors.slice"));
	row(n, "step-removes-checkpoints:critical ", 2, SLICE,
	    LIST(steps, "ExecStartPre=-/bin/rm -f /var/lib/mesos/meta/slaves/latest"));
	row(n, "step-removes-checkpoints:critical ", 2, SLICE,
	    LIST(steps, "ExecStopPost=/bin/sh -c 'cd / && rm -rf /var/lib/mesos/meta'"));
	row(n, "step-removes-checkpoints:critical ", 2, SLICE,
	    LIST(steps, "ExecStartPre=/bin/rm -rf /etc/mesos/metadata /var/lib/mesos/meta"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStartPre=/bin/rm -f /etc/mesos/metadata"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStartPre=/bin/sh -c 'rm -f /run/x; ls /w/meta'"));
	row(n, "", 0, SLICE, LIST(steps, "ExecStartPre=/bin/chmod 700 /var/lib/mesos/meta/slaves"));
}

/* The running agent's unit stays as usual, a next one is named. */
#define next_row(n, want, code, executor, ...)                                                     \
	do {                                                                                       \
		one(n, .cgroup = executor);                                                        \
		struct fact_service s;                                                             \
		node_snapshot(n);                                                                  \
		emit_service(n, usual(n));                                                         \
		s = usual(n);                                                                      \
		s.next = true;                                                                     \
		s.unit = "/new/" UNIT;                                                             \
		s.cgroup = "";                                                                     \
		__VA_ARGS__;                                                                       \
		emit_service(n, s);                                                                \
		assert_string_equal(findings(n, code), want);                                      \
		node_free(n);                                                                      \
	} while (0)

static void a_next_unit_that_stops_otherwise(void **state)
{
	(void)state;
	next_row(n, "", 0, SLICE, (void)s);
	next_row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
		 LIST(file_steps, "ExecStop=/bin/kill -USR1 $MAINPID"));
	next_row(n, "stop-sends-sigusr1:critical ", 2, SLICE,
		 LIST(file_steps, "KillSignal=SIGUSR1"));
	next_row(n, "stop-ends-slice:critical ", 2, SLICE,
		 LIST(file_steps, "ExecStopPost=/bin/systemctl stop mesos_executors.slice"));
	next_row(n, "step-removes-checkpoints:critical ", 2, SLICE,
		 LIST(file_steps, "ExecStopPost=/bin/rm -f /var/lib/mesos/meta/slaves/latest"));
	next_row(n, "executor-same-fate:critical ", 2, CGROUP, s.kill_mode = "control-group");
	next_row(n, "", 0, SLICE, s.kill_mode = "control-group");
	next_row(n, "", 0, CGROUP, s.kill_mode = "control-group", s.unit = "other.service");
	next_row(n, "stop-unbounded:warning ", 1, SLICE, s.send_sigkill = EW_NO);
	next_row(n, "stop-unbounded:warning ", 1, SLICE, s.stop_timeout = -1);
}

static void a_next_unit_that_starts_otherwise(void **state)
{
	(void)state;
	next_row(n, "start-cannot-run:critical ", 2, SLICE,
		 LIST(missing, "ExecCondition=/opt/x: No such file or directory"));
	next_row(n, "start-cannot-run:ok ", 0, SLICE,
		 LIST(missing, "ExecStart=/usr/sbin/mesos-agent: No such file or directory"));
	next_row(n, "pre-step-untried:warning ", 1, SLICE,
		 LIST(file_steps, "ExecCondition=/bin/ping -c1 leader.mesos"));
	next_row(n, "", 0, SLICE, LIST(file_steps, "ExecCondition=-/bin/a"));
	next_row(n, "restart-delay:warning ", 1, SLICE, s.restart_delay = 900 * NODE_SECOND);
}

/* What stops is the running agent's unit, what starts the next one. */
static void the_running_unit_beside_a_next_one(void **state)
{
	static const char *const removes[] = { "ExecStartPre=/bin/rm -f /w/meta/slaves/latest" };
	static const char *const usr1[] = { "ExecStop=/bin/kill -USR1 1" };
	struct fact_service s;
	struct node *n = node_new();

	(void)state;
	node_executor(n, "a", .cgroup = SLICE "/x");
	node_snapshot(n);
	s = usual(n);
	s.restart_delay = 900 * NODE_SECOND;
	s.steps = removes;
	s.n_steps = 1;
	emit_service(n, s);
	assert_string_equal(findings(n, 2), "step-removes-checkpoints:critical "
					    "restart-delay:warning ");
	s = usual(n);
	s.next = true;
	emit_service(n, s);
	assert_string_equal(findings(n, 0), "");
	s = usual(n);
	s.steps = usr1;
	s.n_steps = 1;
	emit_service(n, s);
	assert_string_equal(findings(n, 2), "stop-sends-sigusr1:critical ");
	node_free(n);
}

static void executors_that_the_slice_lacks(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "a", .cgroup = SLICE "/x");
	node_executor(n, "b", .cgroup = "/user.slice/session-3.scope");
	node_snapshot(n);
	emit_service(n, usual(n));
	assert_string_equal(findings(n, 1), "executor-outside-slice:warning ");
	node_free(n);

	n = node_new();
	node_executor(n, "a", .cgroup = "/system.slice/docker-ab.scope");
	node_executor(n, "b", .cgroup = SLICE);
	node_executor(n, "c", .cgroup = CGROUP);
	node_snapshot(n);
	emit_service(n, usual(n));
	assert_string_equal(findings(n, 0), "");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_unit_has_no_finding),
		cmocka_unit_test(files_that_are_not_loaded),
		cmocka_unit_test(loggers_in_the_units_cgroup),
		cmocka_unit_test(an_agent_below_a_wrapper),
		cmocka_unit_test(clocks),
		cmocka_unit_test(steps_that_may_hang),
		cmocka_unit_test(what_runs_before_the_agent),
		cmocka_unit_test(orders_in_stop_commands),
		cmocka_unit_test(a_next_unit_that_stops_otherwise),
		cmocka_unit_test(a_next_unit_that_starts_otherwise),
		cmocka_unit_test(the_running_unit_beside_a_next_one),
		cmocka_unit_test(executors_that_the_slice_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
