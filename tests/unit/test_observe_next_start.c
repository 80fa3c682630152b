/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flags of the next start, from units and files in many shapes. The running agent is this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fact_list.h"
#include "observe/agent/next_start.h"
#include "scratch_tree.h"

#define UNIT "/etc/systemd/system/mesos-agent.service"

struct start {
	struct scratch_tree tree;
	struct fact_list *facts;
};

static int setup(void **state)
{
	struct start *start = calloc(1, sizeof(*start));

	scratch_tree_make(&start->tree);
	start->facts = fact_list_new();
	*state = start;
	return 0;
}

static int teardown(void **state)
{
	struct start *start = *state;

	scratch_tree_remove(&start->tree);
	fact_list_free(start->facts);
	free(start);
	return 0;
}

/* Why its value is not known; "": it is. when: "next" or "running". */
static const char *problem_of(const struct start *start, const char *when, const char *name)
{
	for (size_t i = 0; i < start->facts->n; i++) {
		const struct fact_flag *f = &start->facts->facts[i].flag;

		if (start->facts->facts[i].type == FACT_FLAG && strcmp(f->when, when) == 0 &&
		    strcmp(f->name, name) == 0)
			return f->problem ? f->problem : "";
	}
	return "-";
}

static void put(struct start *start, const char *path, const char *text)
{
	scratch_tree_put(&start->tree, path, text);
}

static void look_at(struct start *start, int32_t pid, const char *unit,
		    struct next_start_options options)
{
	struct fact_agent agent = { .pid = pid, .start = 1 };
	struct fact_sink sink = { fact_list_emit, start->facts };

	start->facts->n = 0;
	options.root = start->tree.root;
	next_start_emit(&agent, unit, &options, &sink);
}

static void look(struct start *start, const char *unit, struct next_start_options options)
{
	look_at(start, getpid(), unit, options);
}

static const struct fact_next_start *next(const struct start *start)
{
	for (size_t i = 0; i < start->facts->n; i++)
		if (start->facts->facts[i].type == FACT_NEXT_START)
			return &start->facts->facts[i].next_start;
	fail_msg("no FACT_NEXT_START");
	return NULL;
}

/* "value (source)"; "-": not given. */
static const char *flag(const struct start *start, const char *name)
{
	static char text[512];

	for (size_t i = 0; i < start->facts->n; i++) {
		const struct fact_flag *f = &start->facts->facts[i].flag;

		if (start->facts->facts[i].type != FACT_FLAG || strcmp(f->when, "next") != 0 ||
		    strcmp(f->name, name) != 0)
			continue;
		snprintf(text, sizeof(text), "%s (%s)", f->value, f->source);
		return text;
	}
	return "-";
}

/* A package's unit with everything on the command line. */
static void flags_of_the_command_line(void **state)
{
	struct start *start = *state;

	put(start, UNIT,
	    "[Unit]\nDescription=agent\n[Service]\nEnvironment=ROLE=web\n"
	    "ExecStart=/usr/sbin/mesos-agent --master=zk://a:2181/mesos \\\n"
	    "    --work_dir=/var/lib/mesos --attributes=rack:r1;role:${ROLE} \\\n"
	    "    --no-hostname_lookup --strict \"--resources=cpus:4; mem:1024\"\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_string_equal(next(start)->program, "/usr/sbin/mesos-agent");
	assert_false(next(start)->named);
	assert_true(strncmp(flag(start, "work_dir"), "/var/lib/mesos (", 16) == 0);
	assert_true(strncmp(flag(start, "attributes"), "rack:r1;role:web (", 18) == 0);
	assert_true(strncmp(flag(start, "resources"), "cpus:4; mem:1024 (", 18) == 0);
	assert_true(strncmp(flag(start, "hostname_lookup"), "false (", 7) == 0);
	assert_true(strncmp(flag(start, "strict"), "true (", 6) == 0);
	assert_string_equal(flag(start, "port"), "-");
}

/* As DC/OS has it: variables of several files, the last one wins; a file may be missing. */
static void flags_of_environment_files(void **state)
{
	struct start *start = *state;

	put(start, UNIT,
	    "[Service]\nEnvironment=MESOS_IP=10.0.0.1 MESOS_PORT=1\n"
	    "EnvironmentFile=/opt/mesosphere/etc/mesos-slave-common\n"
	    "EnvironmentFile=-/var/lib/dcos/mesos-slave-common\n"
	    "EnvironmentFile=-/nowhere/optional\n"
	    "EnvironmentFile=/run/dcos/etc/mesos-*\n"
	    "ExecStart=/opt/mesosphere/bin/start_mesos.sh\n");
	put(start, "/opt/mesosphere/etc/mesos-slave-common",
	    "MESOS_WORK_DIR=/var/lib/mesos/slave\nMESOS_PORT=5051\n"
	    "mesos_strict=false\nMESOS_RESOURCES=file:///var/lib/dcos/mesos-resources\n");
	put(start, "/var/lib/dcos/mesos-slave-common", "MESOS_ATTRIBUTES=rack:r1;zone:z\n");
	put(start, "/var/lib/dcos/mesos-resources", "[{\"name\":\"cpus\"}]");
	put(start, "/run/dcos/etc/mesos-slave", "MESOS_reCover=cleanup\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_int_equal(next(start)->n_missing, 0);
	assert_string_equal(flag(start, "work_dir"),
			    "/var/lib/mesos/slave (/opt/mesosphere/etc/mesos-slave-common)");
	assert_string_equal(flag(start, "port"), "5051 (/opt/mesosphere/etc/mesos-slave-common)");
	assert_string_equal(flag(start, "attributes"),
			    "rack:r1;zone:z (/var/lib/dcos/mesos-slave-common)");
	assert_string_equal(flag(start, "resources"),
			    "[{\"name\":\"cpus\"}] (/var/lib/dcos/mesos-resources)");
	assert_string_equal(flag(start, "recover"), "cleanup (/run/dcos/etc/mesos-slave)");
	assert_string_equal(flag(start, "strict"), "-");
	assert_int_equal(next(start)->n_sources, 5);
}

/* Mesosphere's packages: a shell's file and a directory with a file for each flag. */
static void flags_of_the_wrappers_directories(void **state)
{
	struct start *start = *state;

	put(start, UNIT, "[Service]\nExecStart=/usr/bin/mesos-init-wrapper slave\n");
	put(start, "/etc/default/mesos", "LOGS=/var/log/mesos\nULIMIT=\"-n 8192\"\n");
	put(start, "/etc/default/mesos-slave", "IP=10.0.0.2\nexport MESOS_RECOVER=reconnect\n");
	put(start, "/etc/mesos-slave/work_dir", "/var/lib/mesos\n");
	put(start, "/etc/mesos-slave/?no-strict", "");
	put(start, "/etc/mesos-slave/?hostname_lookup", "");
	put(start, "/etc/mesos-slave/attributes/rack", "r1\n");
	put(start, "/etc/mesos-slave/attributes/zone", "z\n");
	put(start, "/etc/mesos-slave/resources/cpus", "4\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_string_equal(flag(start, "work_dir"), "/var/lib/mesos (/etc/mesos-slave/work_dir)");
	assert_string_equal(flag(start, "attributes"),
			    "rack:r1;zone:z (/etc/mesos-slave/attributes)");
	assert_string_equal(flag(start, "resources"), "cpus:4 (/etc/mesos-slave/resources)");
	assert_string_equal(flag(start, "strict"), "false (/etc/mesos-slave/?no-strict)");
	assert_string_equal(flag(start, "ip"), "10.0.0.2 (/etc/default/mesos-slave)");
	assert_string_equal(flag(start, "recover"), "reconnect (/etc/default/mesos-slave)");
	put(start, "/etc/mesos-slave/ip", "10.0.0.3\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->n_twice, 1);
	assert_string_equal(next(start)->twice[0], "ip");
	put(start, "/etc/default/mesos-slave", "MESOS_HOSTNAME=\"$(hostname)\"\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_NO);
}

static void programs_around_the_agent(void **state)
{
	static const struct {
		const char *line;
		enum ew_tri known;
		const char *work_dir; /* up to its source */
	} rows[] = {
		{ "/usr/bin/env MESOS_X=1 mesos-agent --work_dir=/w", EW_YES, "/w (" },
		{ "/usr/bin/env MESOS_WORK_DIR=/w mesos-agent", EW_YES, "/w (" },
		{ "/usr/bin/env -i MESOS_WORK_DIR=/w mesos-agent", EW_NO, "/w (" },
		{ "/opt/wrap mesos-agent --work_dir=/w", EW_NO, "/w (" },
		{ "/usr/bin/numactl -N 0 /usr/sbin/mesos-slave --work_dir=/w", EW_YES, "/w (" },
		{ "/bin/sh -c 'exec /usr/sbin/mesos-slave --work_dir=/w >>/var/log/x 2>&1'", EW_YES,
		  "/w (" },
		{ "/bin/bash -c 'MESOS_WORK_DIR=/w mesos-agent --port=1; echo --work_dir=/x'",
		  EW_YES, "/w (" },
		{ "/bin/sh -c '. /etc/x; exec mesos-slave --work_dir=$W'", EW_NO, "$W (" },
		{ "/bin/sh -c 'exec /usr/local/bin/start'", EW_NO, "-" },
		{ "/usr/local/bin/run-agent --work_dir=/w", EW_NO, "-" },
		{ "/usr/bin/docker run --rm --net=host -e MESOS_WORK_DIR=/w -v /w:/w "
		  "mesosphere/mesos-slave:1.4 --port=5051",
		  EW_NO, "/w (" },
		{ "/usr/sbin/mesos-agent --work_dir=/w --hostname=%q", EW_NO, "/w (" },
		{ "/usr/sbin/mesos-agent \"--work_dir=/w", EW_NO, "-" },
	};
	struct start *start = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char unit[512];

		snprintf(unit, sizeof(unit), "[Service]\nExecStart=%s\n", rows[i].line);
		put(start, UNIT, unit);
		look(start, "mesos-agent.service", (struct next_start_options){ 0 });
		if (next(start)->known != rows[i].known ||
		    strncmp(flag(start, "work_dir"), rows[i].work_dir, strlen(rows[i].work_dir)))
			fail_msg("%s: %s, %s", rows[i].line, flag(start, "work_dir"),
				 next(start)->problem);
	}
}

/* The text of such a value says nothing of what the agent will get. */
static void values_that_are_computed(void **state)
{
	static const char shell[] = "MESOS_HOSTNAME in /etc/default/mesos is computed at the start";
	struct start *start = *state;

	put(start, UNIT, "[Service]\nExecStart=/usr/bin/mesos-init-wrapper slave\n");
	put(start, "/etc/default/mesos", "MESOS_HOSTNAME=$(hostname)\nMESOS_PORT=1\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_equal(next(start)->problem, shell);
	assert_string_equal(problem_of(start, "next", "hostname"), shell);
	assert_string_equal(problem_of(start, "next", "port"), "");
	put(start, UNIT,
	    "[Service]\nEnvironment=MESOS_IP=%q MESOS_PORT=1\n"
	    "ExecStart=/usr/sbin/mesos-agent --hostname=%q --strict\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_not_equal(problem_of(start, "next", "ip"), "");
	assert_string_not_equal(problem_of(start, "next", "hostname"), "");
	assert_string_equal(problem_of(start, "next", "strict"), "");
	assert_string_equal(problem_of(start, "next", "port"), "");
	put(start, UNIT,
	    "[Service]\nExecStart=/bin/sh -c 'exec mesos-agent --work_dir=$W --port=1'\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_not_equal(problem_of(start, "next", "work_dir"), "");
	assert_string_equal(problem_of(start, "next", "port"), "");
}

/* A link that leads to itself is there and cannot be read, whoever reads it. */
static void link_put(struct start *start, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", start->tree.root, path);
	assert_int_equal(symlink(strrchr(path, '/') + 1, full), 0);
}

static void what_may_set_flags_and_is_unread(void **state)
{
	struct start *start = *state;

	put(start, UNIT, "[Service]\nExecStart=/usr/bin/mesos-init-wrapper slave\n");
	put(start, "/etc/mesos-slave/port", "5051\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	link_put(start, "/etc/mesos-slave/work_dir");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_equal(next(start)->problem,
			    "/etc/mesos-slave/work_dir: Too many levels of symbolic links");
	put(start, UNIT, "[Service]\nExecStart=/usr/bin/mesos-init-wrapper agent\n");
	link_put(start, "/etc/mesos-agent");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_equal(next(start)->problem,
			    "/etc/mesos-agent: Too many levels of symbolic links");
	put(start, UNIT,
	    "[Service]\nEnvironmentFile=-/etc/%q\nExecStart=/usr/sbin/mesos-agent --port=1\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_equal(next(start)->problem,
			    "a % specifier of its EnvironmentFile is not known here");
}

/* A template of a role: specifiers, a drop-in of the type, one of the prefix, an alias. */
static void units_of_every_shape(void **state)
{
	struct start *start = *state;
	char host[65] = "", want[128], link[512];

	gethostname(host, sizeof(host) - 1);
	put(start, "/usr/lib/systemd/system/mesos-agent@.service",
	    "[Service]\nEnvironmentFile=%E/mesos/%i.env\nEnvironment=\"MESOS_HOSTNAME=%H\"\n"
	    "ExecStart=/usr/sbin/mesos-agent --work_dir=%S/mesos/%I "
	    "--attributes=host:%l;a:100%%\n");
	put(start, "/etc/mesos/rack-1.env", "MESOS_PORT=5052\n");
	put(start, "/etc/systemd/system/mesos-.service.d/1.conf",
	    "[Service]\nEnvironment=MESOS_STRICT=false MESOS_DOMAIN=x\n");
	put(start, "/etc/systemd/system/service.d/2.conf",
	    "[Service]\nEnvironment=MESOS_LAUNCHER=posix\nUnsetEnvironment=MESOS_DOMAIN OTHER\n");
	snprintf(link, sizeof(link), "%s/etc/systemd/system/worker@.service", start->tree.root);
	assert_int_equal(symlink("/usr/lib/systemd/system/mesos-agent@.service", link), 0);
	put(start, "/etc/systemd/system/worker@.service.d/3.conf",
	    "[Service]\nEnvironment=MESOS_RECOVER=cleanup\n");
	look(start, "worker@rack-1.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_int_equal(next(start)->n_missing, 0);
	assert_true(strncmp(flag(start, "work_dir"), "/var/lib/mesos/rack/1 (", 23) == 0);
	snprintf(want, sizeof(want), "%s (", host);
	assert_true(strncmp(flag(start, "hostname"), want, strlen(want)) == 0);
	snprintf(want, sizeof(want), "host:%.*s;a:100%% (", (int)strcspn(host, "."), host);
	assert_true(strncmp(flag(start, "attributes"), want, strlen(want)) == 0);
	assert_string_equal(flag(start, "port"), "5052 (/etc/mesos/rack-1.env)");
	assert_true(strncmp(flag(start, "strict"), "false (", 7) == 0);
	assert_true(strncmp(flag(start, "launcher"), "posix (", 7) == 0);
	assert_true(strncmp(flag(start, "recover"), "cleanup (", 9) == 0);
	assert_string_equal(flag(start, "domain"), "-");
}

/* What comes from systemd itself; PassEnvironment= takes of it what it names. */
static void the_environment_of_systemd(void **state)
{
	struct start *start = *state;
	char path[512];

	put(start, UNIT,
	    "[Service]\nPassEnvironment=MESOS_PORT MESOS_ATTRIBUTES\n"
	    "ExecStart=/usr/sbin/mesos-agent --work_dir=${MESOS_DIR}\n");
	put(start, "/etc/systemd/system.conf",
	    "[Manager]\nDefaultEnvironment=MESOS_STRICT=false MESOS_DIR=/w\n");
	put(start, "/etc/systemd/system.conf.d/1.conf",
	    "[Manager]\nDefaultEnvironment=MESOS_LAUNCHER=posix\n");
	snprintf(path, sizeof(path), "%s/proc/1", start->tree.root);
	scratch_tree_put(&start->tree, "/proc/1/environ", "MESOS_PORT=5053");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_string_equal(flag(start, "port"), "5053 (PassEnvironment=)");
	assert_true(strncmp(flag(start, "strict"), "false (", 7) == 0);
	assert_true(strncmp(flag(start, "launcher"), "posix (", 7) == 0);
	assert_true(strncmp(flag(start, "work_dir"), "/w (", 4) == 0);
	assert_string_equal(flag(start, "attributes"), "-");
	strcat(path, "/environ");
	assert_int_equal(unlink(path), 0);
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_NO);
	assert_string_equal(problem_of(start, "next", "port"),
			    "MESOS_PORT in PassEnvironment= is computed at the start");
}

/* Mesos slave/main.cpp sets them from its flags, where those are given. */
static void variables_of_libprocess(void **state)
{
	struct start *start = *state;

	put(start, UNIT,
	    "[Service]\nEnvironment=LIBPROCESS_IP=10.0.0.4 LIBPROCESS_ADVERTISE_IP=1.2.3.4\n"
	    "Environment=LIBPROCESS_ADVERTISE_PORT=6000 LIBPROCESS_PORT=7000 SSL_ENABLED=1\n"
	    "Environment=LIBPROCESS_SSL_KEY_FILE=/etc/none.key\n"
	    "ExecStart=/usr/sbin/mesos-agent --work_dir=/w\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_true(strncmp(flag(start, "ip"), "10.0.0.4 (", 10) == 0);
	assert_true(strncmp(flag(start, "advertise_ip"), "1.2.3.4 (", 9) == 0);
	assert_true(strncmp(flag(start, "advertise_port"), "6000 (", 6) == 0);
	assert_string_equal(flag(start, "port"), "-"); /* LIBPROCESS_PORT is overwritten */
	assert_true(strncmp(flag(start, "LIBPROCESS_SSL_ENABLED"), "1 (", 3) == 0);
	assert_int_equal(next(start)->n_missing, 1);
	assert_string_equal(next(start)->missing[0],
			    "LIBPROCESS_SSL_KEY_FILE=/etc/none.key: No such file or directory");
	put(start, "/etc/systemd/system/mesos-agent.service.d/1.conf",
	    "[Service]\nEnvironment=MESOS_IP=10.0.0.5\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_true(strncmp(flag(start, "ip"), "10.0.0.5 (", 10) == 0);
	put(start, "/etc/systemd/system/mesos-agent.service.d/1.conf",
	    "[Service]\nEnvironment=\"MESOS_IP_DISCOVERY_COMMAND=/bin/ip-of-host --first\"\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_equal(flag(start, "ip"), "-");
	assert_int_equal(next(start)->n_missing, 2);
	assert_string_equal(next(start)->missing[0],
			    "--ip_discovery_command=/bin/ip-of-host: No such file or directory");
	put(start, "/bin/ip-of-host", "#!/bin/sh\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->n_missing, 1);
}

static void the_address_is_on_an_interface(void **state)
{
	static const struct {
		const char *ip;
		enum ew_tri bound;
	} rows[] = { { "127.0.0.1", EW_YES },
		     { "0.0.0.0", EW_YES },
		     { "192.0.2.77", EW_NO },
		     { "2001:db8::77", EW_NO },
		     { "a-name", EW_UNKNOWN } };
	struct start *start = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char unit[256];

		snprintf(unit, sizeof(unit), "[Service]\nExecStart=/usr/sbin/mesos-agent --ip=%s\n",
			 rows[i].ip);
		put(start, UNIT, unit);
		look(start, "mesos-agent.service", (struct next_start_options){ 0 });
		if (next(start)->bound != rows[i].bound)
			fail_msg("%s: %d", rows[i].ip, next(start)->bound);
	}
}

/* Its path is not known, so that it is not missed. */
static void a_file_of_a_computed_value(void **state)
{
	struct start *start = *state;

	put(start, UNIT,
	    "[Service]\nEnvironment=MESOS_RESOURCES=file:///etc/%q\n"
	    "ExecStart=/usr/sbin/mesos-agent --attributes=file:///etc/%q --work_dir=/w\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->n_missing, 0);
	assert_string_not_equal(problem_of(start, "next", "attributes"), "");
	assert_string_not_equal(problem_of(start, "next", "resources"), "");
	put(start, UNIT,
	    "[Service]\nEnvironment=R=r1\n"
	    "ExecStart=/usr/sbin/mesos-agent --attributes=file:///etc/${R}%%\n");
	put(start, "/etc/r1%", "rack:r1");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_string_equal(flag(start, "attributes"), "rack:r1 (/etc/r1%)");
}

/* The image of a unit that runs docker has files of its own. */
static void files_of_a_container(void **state)
{
	struct start *start = *state;

	put(start, "/etc/mesos.env", "MESOS_STRICT=false # no comment\nMESOS_PORT=\"1\"\n");
	put(start, UNIT,
	    "[Service]\nExecStart=/usr/bin/docker run --net host --env-file /etc/mesos.env "
	    "-e MESOS_RECOVER=cleanup mesosphere/mesos-slave:1.4 --attributes=file:///etc/none\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->n_missing, 0);
	assert_string_equal(problem_of(start, "next", "attributes"),
			    "/etc/none: Permission denied");
	assert_string_equal(flag(start, "strict"), "false # no comment (/etc/mesos.env)");
	assert_string_equal(flag(start, "port"), "\"1\" (/etc/mesos.env)");
	assert_true(strncmp(flag(start, "recover"), "cleanup (", 9) == 0);
}

/* An agent with a root of its own reads its files there; absolute links begin there. */
static void the_root_of_the_agent(void **state)
{
	struct start *start = *state;
	char path[512];
	int ready[2], pid;
	char byte;

	put(start, "/agent/etc/real", "rack:r7");
	snprintf(path, sizeof(path), "%s/agent/etc/attributes", start->tree.root);
	assert_int_equal(symlink("/etc/real", path), 0);
	put(start, UNIT,
	    "[Service]\nExecStart=/usr/sbin/mesos-agent --attributes=file:///etc/attributes\n");
	assert_int_equal(pipe(ready), 0);
	snprintf(path, sizeof(path), "%s/agent", start->tree.root);
	pid = fork();
	if (!pid) {
		_exit(chroot(path) == 0 && write(ready[1], "x", 1) == 1 && pause());
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	look_at(start, pid, "mesos-agent.service", (struct next_start_options){ 0 });
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	assert_string_equal(flag(start, "attributes"), "rack:r7 (/etc/attributes)");
}

/* A scope is a container's, which starts again with the same command. */
static void a_scope_has_no_command(void **state)
{
	struct start *start = *state;

	look(start, "docker-0123.scope", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_string_equal(next(start)->unit, "docker-0123.scope");
}

/* One that has ended: nothing of it can be read. */
static void a_running_agent_that_is_unread(void **state)
{
	struct start *start = *state;
	struct fact_agent agent = { .pid = INT32_MAX, .start = 1 };
	struct next_start_options options = { .root = start->tree.root };
	struct fact_sink sink = { fact_list_emit, start->facts };

	put(start, UNIT, "[Service]\nExecStart=/usr/sbin/mesos-agent --port=1\n");
	next_start_emit(&agent, "mesos-agent.service", &options, &sink);
	assert_int_equal(next(start)->known, EW_NO);
	assert_string_equal(problem_of(start, "running", "runtime_dir"),
			    "the running agent's environ: No such file or directory");
}

/* systemd passes over a start whose condition does not hold, and says that all is well. */
static void conditions_that_do_not_hold(void **state)
{
	struct start *start = *state;

	put(start, "/etc/roles/slave", "");
	put(start, UNIT,
	    "[Unit]\n"
	    "ConditionPathExists=/etc/roles/slave\n"
	    "ConditionPathExists=/etc/roles/%p\n"
	    "ConditionPathExists=!/etc/roles/master\n"
	    "ConditionPathExists=|/etc/roles/other\n"
	    "AssertFileNotEmpty=/etc/id\n"
	    "[Service]\n"
	    "ExecStart=/usr/sbin/mesos-agent\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->n_missing, 2);
	assert_string_equal(
		next(start)->missing[0],
		"ConditionPathExists=/etc/roles/mesos-agent: No such file or directory");
	assert_string_equal(next(start)->missing[1],
			    "AssertFileNotEmpty=/etc/id: No such file or directory");
}

static void files_that_are_missing(void **state)
{
	struct start *start = *state;

	put(start, UNIT,
	    "[Service]\nEnvironmentFile=/etc/none\n"
	    "ExecStart=/usr/sbin/mesos-agent --attributes=file:///etc/attributes "
	    "--credential=/etc/secret --work_dir=/w\n");
	look(start, "mesos-agent.service", (struct next_start_options){ 0 });
	assert_int_equal(next(start)->n_missing, 3);
	assert_string_equal(next(start)->missing[0],
			    "EnvironmentFile=/etc/none: No such file or directory");
	assert_string_equal(next(start)->missing[1],
			    "--attributes=file:///etc/attributes: No such file or directory");
	assert_string_equal(next(start)->missing[2],
			    "--credential=/etc/secret: No such file or directory");
}

static void what_the_user_names(void **state)
{
	static const char *const env[] = { "/new/env", "/new/none" };
	struct start *start = *state;
	char file[128];

	put(start, UNIT, "[Service]\nExecStart=/usr/sbin/mesos-agent --port=1\n");
	put(start, "/etc/systemd/system/other.service",
	    "[Service]\nExecStart=/usr/sbin/mesos-agent --port=2\n");
	put(start, "/new/unit.service", "[Service]\nExecStart=/usr/sbin/mesos-agent --port=3\n");
	put(start, "/new/env", "MESOS_STRICT=false\nMESOS_PORT=4\n");
	look(start, "mesos-agent.service", (struct next_start_options){ .unit = "other" });
	assert_true(next(start)->named);
	assert_string_equal(next(start)->unit, "other");
	assert_true(strncmp(flag(start, "port"), "2 (", 3) == 0);
	snprintf(file, sizeof(file), "%s/new/unit.service", start->tree.root);
	look(start, NULL,
	     (struct next_start_options){
		     .unit = file, .env = env, .n_env = 2, .version = "1.11.0" });
	assert_true(strncmp(flag(start, "port"), "3 (", 3) == 0); /* the command line wins */
	assert_string_equal(flag(start, "strict"), "false (/new/env)");
	assert_string_equal(next(start)->version, "1.11.0");
	assert_string_equal(next(start)->missing[0],
			    "--next-env /new/none: No such file or directory");
	look(start, NULL, (struct next_start_options){ .unit = "none" });
	assert_int_equal(next(start)->known, EW_NO);
	assert_string_equal(next(start)->problem, "unit none.service: No such file or directory");
}

/* Without a unit the running agent's own environment, and what is named besides. */
static void the_running_agents_own(void **state)
{
	static const char *const env[] = { "/new/env" };
	struct start *start = *state;

	put(start, "/new/env", "MESOS_STRICT=false\n");
	look(start, NULL, (struct next_start_options){ .env = env, .n_env = 1 });
	assert_int_equal(next(start)->known, EW_YES);
	assert_string_equal(flag(start, "strict"), "false (/new/env)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flags_of_the_command_line, setup, teardown),
		cmocka_unit_test_setup_teardown(flags_of_environment_files, setup, teardown),
		cmocka_unit_test_setup_teardown(flags_of_the_wrappers_directories, setup, teardown),
		cmocka_unit_test_setup_teardown(programs_around_the_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(values_that_are_computed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_set_flags_and_is_unread, setup, teardown),
		cmocka_unit_test_setup_teardown(units_of_every_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(the_environment_of_systemd, setup, teardown),
		cmocka_unit_test_setup_teardown(variables_of_libprocess, setup, teardown),
		cmocka_unit_test_setup_teardown(the_address_is_on_an_interface, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_of_a_computed_value, setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_a_container, setup, teardown),
		cmocka_unit_test_setup_teardown(the_root_of_the_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scope_has_no_command, setup, teardown),
		cmocka_unit_test_setup_teardown(a_running_agent_that_is_unread, setup, teardown),
		cmocka_unit_test_setup_teardown(conditions_that_do_not_hold, setup, teardown),
		cmocka_unit_test_setup_teardown(files_that_are_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_user_names, setup, teardown),
		cmocka_unit_test_setup_teardown(the_running_agents_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
