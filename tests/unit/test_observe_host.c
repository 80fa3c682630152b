/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What doctor's probes find on this host: as root, without privilege, in a pid namespace. */
#include "test_observe.h"

#include "observe/host.h"

static const struct host_probe *probed(struct host_probe *probes, const char *name)
{
	size_t n = host_probe_all(true, probes);

	for (size_t i = 0; i < n; i++)
		if (strcmp(probes[i].name, name) == 0)
			return &probes[i];
	fail_msg("no probe '%s'", name);
	return NULL;
}

static void each_probe_says_what_it_found_and_what_to_do(void **state)
{
	struct host_probe probes[HOST_PROBES_MAX];
	size_t n = host_probe_all(true, probes);

	(void)state;
	assert_true(n >= 10 && n <= HOST_PROBES_MAX);
	for (size_t i = 0; i < n; i++) {
		assert_string_not_equal(probes[i].detail, "");
		assert_int_equal(probes[i].state == HOST_OK, probes[i].cure[0] == '\0');
		assert_int_not_equal(probes[i].needed_for, 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(probes[i].name, probes[j].name);
	}
}

static void root_on_the_host_can_audit(void **state)
{
	static const char *const audit[] = { "privilege", "pid-namespace", "proc", "sock-diag",
					     "conntrack" };
	struct host_probe probes[HOST_PROBES_MAX];

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(audit) / sizeof(*audit); i++) {
		const struct host_probe *probe = probed(probes, audit[i]);

		if (probe->state != HOST_OK)
			fail_msg("%s: %s", probe->name, probe->detail);
	}
}

static void a_user_is_told_what_is_lacking(void **state)
{
	struct host_probe probes[HOST_PROBES_MAX];
	const struct host_probe *probe;

	(void)state;
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	probe = probed(probes, "privilege");
	assert_int_equal(probe->state, HOST_MISSING);
	assert_int_equal(probe->needed_for, HOST_AUDIT | HOST_SHUTDOWN | HOST_WATCH);
	assert_string_equal(probe->cure, "run as root");
	assert_non_null(strstr(probe->detail, "CAP_SYS_PTRACE"));
	assert_non_null(strstr(probe->detail, "CAP_BPF"));
	assert_int_equal(probed(probes, "conntrack")->state, HOST_MISSING);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* All that is done without BPF may be done by whoever has these alone. */
static void without_bpf_its_capabilities_are_not_lacking(void **state)
{
	struct host_probe probes[HOST_PROBES_MAX];
	size_t n;

	(void)state;
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	n = host_probe_all(false, probes);
	assert_string_equal(probes[0].name, "privilege");
	assert_non_null(strstr(probes[0].detail, "CAP_SYS_PTRACE"));
	assert_null(strstr(probes[0].detail, "CAP_BPF"));
	assert_null(strstr(probes[0].detail, "CAP_PERFMON"));
	assert_int_equal(probes[0].needed_for, HOST_AUDIT | HOST_SHUTDOWN);
	for (size_t i = 0; i < n; i++)
		assert_string_not_equal(probes[i].name, "lockdown");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

static void a_container_is_told_that_it_does_not_see_the_host(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		struct host_probe probes[HOST_PROBES_MAX];

		if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
			_exit(1);
		pid = fork();
		if (pid > 0) {
			waitpid(pid, &status, 0);
			_exit(WEXITSTATUS(status));
		}
		if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("proc", "/proc", "proc", 0, "hidepid=2") < 0)
			_exit(2);
		if (probed(probes, "pid-namespace")->state != HOST_MISSING ||
		    !strstr(probed(probes, "pid-namespace")->cure, "--pid=host"))
			_exit(3);
		if (probed(probes, "proc")->state != HOST_OK || seteuid(65534) < 0 ||
		    probed(probes, "proc")->state != HOST_MISSING)
			_exit(4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_probe_says_what_it_found_and_what_to_do),
		cmocka_unit_test(root_on_the_host_can_audit),
		cmocka_unit_test(a_user_is_told_what_is_lacking),
		cmocka_unit_test(without_bpf_its_capabilities_are_not_lacking),
		cmocka_unit_test(a_container_is_told_that_it_does_not_see_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
