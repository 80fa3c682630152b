/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about what the next start changes, by version and policy. */
#include "node_audit.h"

#include "model/report.h"

#define LIST(name, ...)                                                                            \
	.name = (const char *const[]){ __VA_ARGS__ },                                              \
	.n_##name = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

struct pair {
	const char *name, *value, *problem;
};

/* The running agent has the flags of the first list, the next start those of the second. */
struct change {
	const char *version; /* of the next start; NULL: not named */
	struct pair running[6], next[6];
	bool unknown; /* flags of the next start may be missing */
	enum ew_tri bound;
	bool named;
	bool v1;
};

static void emit_flags(struct node *n, const char *when, const struct pair *pairs)
{
	for (; pairs->name; pairs++)
		node_emit(n, (struct fact){ .type = FACT_FLAG,
					    .flag = { .pid = n->agent,
						      .start = node_start_of(n, n->agent),
						      .when = when,
						      .name = pairs->name,
						      .value = pairs->value,
						      .problem = pairs->problem,
						      .on_command_line = true,
						      .source = "command-line" } });
}

static void emit_info(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_AGENT_INFO,
				    .agent_info = { .slave_id = NODE_AGENT_ID,
						    .hostname = "host",
						    .port = 5051,
						    .domain = "r/z",
						    LIST(attributes, "rack:r1", "u:3", "p:[1-3]"),
						    LIST(resources, "cpus(*):8", "mem(*):1024",
							 "gpu(web):2") } });
}

static void emit_change(struct node *n, const struct change *change)
{
	emit_flags(n, "running", change->running);
	node_emit(n, (struct fact){ .type = FACT_NEXT_START,
				    .next_start = { .pid = n->agent,
						    .start = node_start_of(n, n->agent),
						    .program = "/usr/sbin/mesos-agent",
						    .version = change->version,
						    .known = change->unknown ? EW_NO : EW_YES,
						    .problem = change->unknown ? "a wrapper" : "",
						    .named = change->named,
						    .bound = change->bound } });
	emit_flags(n, "next", change->next);
	emit_info(n);
}

static const char *found(struct node *n, int exit_code)
{
	static char text[512];
	struct report *report = model_report(n->model, REPORT_AUDIT);

	text[0] = '\0';
	for (size_t i = 0; i < report->n_findings; i++) {
		const struct report_finding *f = &report->findings[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s:%s", i ? " " : "",
			 f->id, severity_name(f->severity));
		assert_true(*f->evidence && *f->effect);
	}
	if (report->exit_code != exit_code)
		fail_msg("exit code %d with '%s'", report->exit_code, text);
	report_free(report);
	return text;
}

static void check_change(const struct change *change, int exit_code, const char *want)
{
	struct node *n = node_new();

	node_executor(n, "web", .v1 = change->v1);
	node_snapshot(n);
	emit_change(n, change);
	assert_string_equal(found(n, exit_code), want);
	node_free(n);
}

#define change(code, want, ...) check_change(&(struct change){ __VA_ARGS__ }, code, want)

#define SSL "LIBPROCESS_SSL_"
#define SSL_FILES                                                                                  \
	{ SSL "KEY_FILE", "/k" },                                                                  \
	{                                                                                          \
		SSL "CERT_FILE", "/c"                                                              \
	}

/* Plain connections go on under SUPPORT_DOWNGRADE alone, on the side that has SSL. */
static void ssl_is_switched(void **state)
{
	(void)state;
	change(2, "ssl-changed:critical", .next = { { SSL "ENABLED", "true" }, SSL_FILES });
	change(0, "",
	       .next = { { SSL "ENABLED", "1" }, { SSL "SUPPORT_DOWNGRADE", "1" }, SSL_FILES });
	change(0, "", .running = { { SSL "ENABLED", "1" } },
	       .next = { { SSL "ENABLED", "true" }, SSL_FILES });
	change(2, "ssl-changed:critical", .running = { { SSL "ENABLED", "true" } });
	change(0, "",
	       .running = { { SSL "ENABLED", "true" }, { SSL "SUPPORT_DOWNGRADE", "true" } });
	change(2, "next-flags-refused:critical ssl-changed:critical",
	       .next = { { SSL "ENABLED", "true" }, { SSL "KEY_FILE", "/k" } });
	change(0, "", .next = { { SSL "ENABLED", "true", "computed" } });
}

static void an_address_that_is_not_here(void **state)
{
	(void)state;
	change(2, "address-gone:critical agent-address-changed:critical",
	       .running = { { "ip", "10.0.0.1" } }, .next = { { "ip", "10.0.0.2" } },
	       .bound = EW_NO);
	change(0, "", .running = { { "ip", "10.0.0.1" } }, .next = { { "ip", "10.0.0.1" } },
	       .bound = EW_UNKNOWN);
	change(0, "", .running = { { "ip", "10.0.0.1" } }, .next = { { "ip", "10.0.0.1" } },
	       .bound = EW_YES);
	change(2, "address-gone:critical", .running = { { "ip", "10.0.0.1" } },
	       .next = { { "ip", "10.0.0.1" } }, .bound = EW_NO);
}

static void nothing_changes(void **state)
{
	(void)state;
	change(0, "", .running = { { "work_dir", "/w" } }, .next = { { "work_dir", "/w/" } });
	change(0, "", .running = { { "runtime_dir", "/var/run/mesos" } },
	       .next = { { "runtime_dir", "/run/mesos" } });
	change(0, "", .running = { { "recovery_timeout", "15mins" } }, .next = { { NULL, NULL } });
	change(0, "", .running = { { "attributes", "u:3;rack:r1" } },
	       .next = { { "attributes", "u:3;rack:r1" } });
	change(0, "", .running = { { "attributes", "rack:r1;u:3;p:[1-3]" } },
	       .next = { { "attributes", "p:[1-2, 3-3];u: 3.0;rack:r1" } });
	change(0, "", .running = { { "isolation", "a,b" } }, .next = { { "isolation", "b,a" } });
	change(0, "", .running = { { "strict", "true" } }, .next = { { NULL, NULL } });
}

/* Equality up to 1.4 and by default, additive since 1.5. */
static void how_the_agent_describes_itself(void **state)
{
	static const char changed[] = "agent-info-changed:critical";
	static const char added[] = "rack:r1;u:3;p:[1-3];more:1";

	(void)state;
	change(2, changed, .next = { { "attributes", "rack:r2;u:3;p:[1-3]" } });
	change(2, changed, .next = { { "attributes", "u:3;p:[1-3]" } });
	change(2, changed, .next = { { "attributes", added } });
	change(0, "agent-info-extended:ok", .version = "1.5.0",
	       .next = { { "attributes", added }, { "reconfiguration_policy", "additive" } });
	change(2, "agent-info-changed:critical next-flags-refused:critical", .version = "1.4.3",
	       .next = { { "attributes", added }, { "reconfiguration_policy", "additive" } });
	change(2, changed, .version = "1.5.0",
	       .next = { { "attributes", "rack:r1;u:4;p:[1-3]" },
			 { "reconfiguration_policy", "additive" } });
	change(0, "agent-info-extended:ok", .version = "1.11.0",
	       .next = { { "attributes", "rack:r1;u:3;p:[1-4]" },
			 { "reconfiguration_policy", "additive" } });
	change(2, changed, .next = { { "hostname", "other" } });
	change(1, "agent-info-changed:warning", .running = { { "hostname", "host" } });
	change(2, changed, .next = { { "port", "5052" } });
	/* Something else than a flag makes it advertise 5051. */
	change(0, "", .running = { { "port", "5052" } }, .next = { { "port", "5052" } });
	change(0, "", .next = { { "port", "5052" }, { "advertise_port", "$P", "computed" } });
	change(2, changed, .next = { { "domain", "{}" } });
	change(2, changed,
	       .next = { { "domain", "{\"fault_domain\":{\"region\":{\"name\":\"r\"},"
				     "\"zone\":{\"name\":\"y\"}}}" } });
}

static void what_cannot_be_compared(void **state)
{
	struct change change = { .next = { { "attributes", "rack:r1" },
					   { "resources", "cpus:8" } } };
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	emit_change(n, &change);
	node_emit(n, (struct fact){ .type = FACT_AGENT_INFO,
				    .agent_info = { .slave_id = NODE_AGENT_ID,
						    .hostname = "host",
						    .port = 5051,
						    LIST(attributes, "rack:{a,b}"),
						    LIST(resources, "cpus(*):text") } });
	assert_string_equal(found(n, 3), "next-unread:unknown next-unread:unknown");
	node_free(n);
}

static void its_resources(void **state)
{
	static const char changed[] = "agent-info-changed:critical";

	(void)state;
	change(2, changed, .next = { { "resources", "cpus:4;mem:1024;gpu(web):2" } });
	change(2, changed, .next = { { "resources", "cpus:16;mem:1024;gpu(web):2" } });
	change(0, "agent-info-extended:ok",
	       .next = { { "resources", "cpus:16;mem:1024;gpu(web):2" },
			 { "reconfiguration_policy", "additive" } });
	change(2, changed, .next = { { "resources", "cpus:8;mem:1024" } });
	/* what is not given is detected, as it was before */
	change(0, "", .running = { { "resources", "gpu(web):2" } },
	       .next = { { "resources", "gpu(web):2;cpus:8" } });
	change(1, "agent-info-changed:warning", .running = { { "resources", "gpu(web):2;cpus:8" } },
	       .next = { { "resources", "gpu(web):2" } });
}

static void what_cannot_be_read_is_not_compared(void **state)
{
	(void)state;
	change(0, "", .running = { { "attributes", "rack:r1" }, { "work_dir", "/w" } },
	       .unknown = true);
	change(3, "next-unread:unknown", .unknown = true, .named = true);
	change(2, "work-dir-changed:critical", .running = { { "work_dir", "/w" } },
	       .next = { { "work_dir", "/v" } }, .unknown = true);
}

static void what_it_recovers(void **state)
{
	(void)state;
	change(2, "work-dir-changed:critical", .running = { { "work_dir", "/w" } },
	       .next = { { "work_dir", "/v" } });
	change(2, "runtime-dir-changed:critical", .next = { { "runtime_dir", "/v" } });
	change(2, "recover-cleanup:critical", .next = { { "recover", "cleanup" } });
	change(1, "recovery-not-strict:warning", .next = { { "strict", "false" } });
	change(0, "", .running = { { "strict", "false" } }, .next = { { "strict", "true" } });
	change(2, "agent-address-changed:critical", .running = { { "ip", "10.0.0.1" } },
	       .next = { { "ip", "10.0.0.2" } });
}

/* Mesos started with them, whatever is thought of them here. */
static void what_is_in_use_is_not_refused(void **state)
{
	(void)state;
	change(0, "", .running = { { "executor_reregistration_retry_interval", "" } },
	       .next = { { "executor_reregistration_retry_interval", "" } });
	change(1, "agent-address-changed:warning", .running = { { "ip", "10.0.0.1" } });
	change(0, "", .running = { { "advertise_ip", "" } });
}

static void its_containers(void **state)
{
	static const char lost[] = "containers-not-recovered:critical";

	(void)state;
	change(2, lost, .running = { { "containerizers", "docker,mesos" } },
	       .next = { { "containerizers", "mesos" } });
	change(0, "", .running = { { "containerizers", "docker,mesos" } },
	       .next = { { "containerizers", "mesos,docker" } });
	change(2, lost, .running = { { "launcher", "posix" } },
	       .next = { { "launcher", "linux" } });
	change(2, lost, .next = { { "cgroups_root", "other" } });
	change(0, "", .running = { { "launcher", "posix" } },
	       .next = { { "launcher", "posix" }, { "cgroups_root", "other" } });
	change(1, "isolation-changed:warning", .next = { { "isolation", "cgroups/cpu" } });
	change(1, "systemd-support-changed:warning",
	       .next = { { "systemd_enable_support", "false" } });
}

static void its_timeouts(void **state)
{
	(void)state;
	change(1, "timeouts-changed:warning",
	       .running = { { "executor_reregistration_timeout", "10secs" } });
	change(0, "", .next = { { "executor_reregistration_timeout", "10secs" } });
	change(1, "timeouts-changed:warning",
	       .running = { { "executor_reregistration_retry_interval", "1secs" } });
	change(0, "timeouts-changed:ok", .next = { { "recovery_timeout", "1days" } });
}

static void what_it_refuses(void **state)
{
	static const char refused[] = "next-flags-refused:critical";

	(void)state;
	change(2, refused, .next = { { "executor_reregistration_timeout", "16secs" } });
	change(2, "next-flags-refused:critical timeouts-changed:ok",
	       .next = { { "recovery_timeout", "soon" } });
	change(2, refused, .next = { { "attributes", "rack" } });
	change(2, refused, .version = "1.3.0",
	       .next = { { "executor_reregistration_retry_interval", "1secs" } });
	change(0, "", .version = "1.3.1",
	       .next = { { "executor_reregistration_retry_interval", "1secs" } });
}

static void who_it_lets_in(void **state)
{
	(void)state;
	change(2, "executor-authentication:critical", .v1 = true,
	       .next = { { "authenticate_http_executors", "true" } });
	change(0, "", .next = { { "authenticate_http_executors", "true" } });
	change(2, "executor-authentication:critical", .v1 = true,
	       .running = { { "authenticate_http_executors", "true" }, { "jwt_secret_key", "/a" } },
	       .next = { { "authenticate_http_executors", "true" }, { "jwt_secret_key", "/b" } });
	change(1, "credential-changed:warning", .running = { { "credential", "/a" } });
}

static void what_is_told_of_the_start(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	node_emit(n, (struct fact){ .type = FACT_NEXT_START,
				    .next_start = { .pid = n->agent,
						    .start = node_start_of(n, n->agent),
						    .known = EW_YES,
						    LIST(missing, "EnvironmentFile=/x: gone"),
						    LIST(twice, "port") } });
	assert_string_equal(found(n, 2), "next-files-missing:critical next-flags-refused:critical");
	node_free(n);
}

/* A flag that an earlier scan showed and the last one does not is gone. */
static void the_last_scan_counts(void **state)
{
	struct change first = { .next = { { "recover", "cleanup" } } },
		      second = { .version = NULL };
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	emit_change(n, &first);
	assert_string_equal(found(n, 2), "recover-cleanup:critical");
	emit_change(n, &second);
	assert_string_equal(found(n, 0), "");
	node_free(n);
}

static void cgroups_of_its_own(void **state)
{
	struct change change = { .running = { { "launcher", "linux" } },
				 .next = { { "launcher", "linux" } } };
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	node_emit(n, (struct fact){ .type = FACT_SERVICE,
				    .service = { .pid = n->agent,
						 .start = node_start_of(n, n->agent),
						 .unit = "a.service",
						 .cgroup = "/a.service",
						 .kill_mode = "process",
						 .delegate = EW_NO } });
	emit_change(n, &change);
	assert_string_equal(found(n, 1), "cgroup-not-delegated:warning");
	node_free(n);
}

static void the_command_of_run(void **state)
{
	static const struct {
		const char *text, *want;
		int exit_code;
	} rows[] = {
		{ "systemctl restart mesos-slave", "", 0 },
		{ "pkill -USR1 mesos-slave", "stop-sends-sigusr1:critical", 2 },
		{ "kill -USR1 1234", "stop-sends-sigusr1:warning", 1 },
		{ "systemctl restart mesos_executors.slice", "stop-ends-slice:critical", 2 },
		{ "sh -c 'rm -f /w/meta/slaves/latest; systemctl start mesos-slave'",
		  "step-removes-checkpoints:warning", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();

		node_executor(n, "web", .v1 = false);
		n->command = rows[i].text;
		node_window(n);
		node_snapshot(n);
		assert_string_equal(found(n, rows[i].exit_code), rows[i].want);
		node_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changes),
		cmocka_unit_test(ssl_is_switched),
		cmocka_unit_test(an_address_that_is_not_here),
		cmocka_unit_test(how_the_agent_describes_itself),
		cmocka_unit_test(what_cannot_be_compared),
		cmocka_unit_test(its_resources),
		cmocka_unit_test(what_cannot_be_read_is_not_compared),
		cmocka_unit_test(what_it_recovers),
		cmocka_unit_test(what_is_in_use_is_not_refused),
		cmocka_unit_test(its_containers),
		cmocka_unit_test(its_timeouts),
		cmocka_unit_test(what_it_refuses),
		cmocka_unit_test(who_it_lets_in),
		cmocka_unit_test(what_is_told_of_the_start),
		cmocka_unit_test(the_last_scan_counts),
		cmocka_unit_test(cgroups_of_its_own),
		cmocka_unit_test(the_command_of_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
