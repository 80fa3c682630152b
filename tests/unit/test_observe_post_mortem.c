/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is written of executors that are gone. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "facts.h"
#include "observe/agent/agent_log.h"
#include "observe/agent/post_mortem.h"

#define RUN "frameworks/F/executors/web 1/runs/C"
#define LOG "tests/data/mesos/logs/"

static char dir[64];
static const struct post_mortem_run run = { "F", "web 1", "C" };

struct heard {
	size_t ends, tasks, unread;
	bool status; /* the source is the container's status */
	char cause[64], text[512], state[64];
};

static void heard_emit(void *ctx, const struct fact *fact)
{
	struct heard *heard = ctx;

	if (fact->type == FACT_END) {
		heard->ends++;
		snprintf(heard->cause, sizeof(heard->cause), "%s", fact->end.cause);
		snprintf(heard->text, sizeof(heard->text), "%s", fact->end.text);
		assert_string_equal(fact->end.source, heard->status ? "disk" : "log");
		assert_string_equal(fact->end.executor_id, "web 1");
	} else if (fact->type == FACT_TASK) {
		heard->tasks++;
		snprintf(heard->state, sizeof(heard->state), "%s", fact->task.state);
		assert_string_equal(fact->task.source, "disk");
	} else {
		heard->unread++;
	}
}

static void make(const char *below)
{
	char path[512], *slash;

	snprintf(path, sizeof(path), "%s/%s", dir, below);
	for (slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
}

static void copy(const char *from, const char *to)
{
	char command[1024];

	snprintf(command, sizeof(command), "cp '%s' '%s/%s'", from, dir, to);
	assert_int_equal(system(command), 0);
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ew-pm-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	make("meta/slaves/S0/" RUN "/tasks/t");
	make("slaves/S0/" RUN);
	make("meta/slaves/S1/frameworks"); /* the present agent's */
	return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int drop_dir(void **state)
{
	(void)state;
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static struct heard look_beside(const char *agents_log, bool status)
{
	struct heard heard = { .status = status };
	struct fact_sink sink = { heard_emit, &heard };
	struct agent_log_place place = { 0 };

	snprintf(place.runtime, sizeof(place.runtime), "%.60s/run", dir);
	if (agents_log)
		snprintf(place.file, sizeof(place.file), "%.60s/%s", dir, agents_log);
	post_mortem_emit(dir, &place, &run, 1, &sink);
	return heard;
}

static struct heard look_for(bool status)
{
	return look_beside(NULL, status);
}

static struct heard look(void)
{
	return look_for(false);
}

/* Logs of real executors (Mesos 1.12). */
static void real_logs(void **state)
{
	static const struct {
		const char *log, *cause, *text;
	} rows[] = {
		{ LOG "executor-web-stderr-selfterminate.log", "self-terminated",
		  "Recovery timeout of 20secs exceeded" },
		{ LOG "executor-stubborn-stderr-selfterminate.log", "self-terminated",
		  "Recovery timeout of 20secs exceeded" },
		{ LOG "executor-loop-stderr-reregistration.log", NULL, NULL },
		{ LOG "executor-stderr-killed.log", NULL, NULL },
		{ LOG "executor-stderr-finish-while-down.log", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard;

		copy(rows[i].log, "slaves/S0/" RUN "/stderr");
		heard = look();
		if (heard.ends != (rows[i].cause != NULL))
			fail_msg("%s: %zu ends, %s", rows[i].log, heard.ends, heard.text);
		if (!rows[i].cause)
			continue;
		assert_string_equal(heard.cause, rows[i].cause);
		assert_non_null(strstr(heard.text, rows[i].text));
	}
}

static void say(const char *name, const char *line)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/slaves/S0/" RUN "/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%s\n", line);
	fclose(f);
}

/* The logger rotates the file when it is large: the cause may stand in the one before. */
static void rotated_logs(void **state)
{
	struct heard heard;

	(void)state;
	copy(LOG "executor-web-stderr-selfterminate.log", "slaves/S0/" RUN "/stderr.1");
	say("stderr", "what the task writes");
	heard = look();
	assert_int_equal(heard.ends, 1);
	assert_string_equal(heard.cause, "self-terminated");
	assert_non_null(strstr(heard.text, "its stderr.1 says"));
	say("stderr",
	    "I1012 16:43:29.363692 35513 exec.cpp:463] Executor re-registered on agent S0");
	heard = look();
	assert_int_equal(heard.ends, 0);
}

/* Orders that the drivers write down (Mesos exec.cpp, executor.cpp); the first cause counts. */
static void orders_in_its_log(void **state)
{
	static const struct {
		const char *text, *cause; /* NULL: none */
	} rows[] = {
		{ "exec.cpp:414] Executor asked to shutdown", "killed-by-agent" },
		{ "executor.cpp:189] Received SHUTDOWN event", "killed-by-agent" },
		{ "executor.cpp:189] Received SHUTDOWN events", NULL },
		{ "exec.cpp:518] Agent exited ... shutting down", "self-terminated" },
		{ "exec.cpp:518] Slave exited ... shutting down", "self-terminated" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard;
		char line[256];

		snprintf(line, sizeof(line), "I1012 16:43:29.363692 35513 %s", rows[i].text);
		say("stderr", line);
		heard = look();
		if (heard.ends != (rows[i].cause != NULL))
			fail_msg("'%s': %zu ends", rows[i].text, heard.ends);
		if (rows[i].cause)
			assert_string_equal(heard.cause, rows[i].cause);
	}
}

/* What the agent wrote of it (Mesos slave/slave.cpp), and of others. */
static void orders_in_the_agents_log(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "Killing un-reregistered executor 'web 1' of framework F at executor(1)@h:1",
		  true },
		{ "Shutting down executor 'web 1' of framework F at executor(1)@h:1", true },
		{ "Shutting down executor 'web 10' of framework F", false },
		{ "Shutting down executor 'web 1' of framework G", false },
		{ "Recovering executor 'web 1' of framework F", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard;
		char path[256];
		FILE *f;

		snprintf(path, sizeof(path), "%s/agent.log", dir);
		f = fopen(path, "we");
		assert_non_null(f);
		fprintf(f, "I1012 16:43:29.363692 35513 slave.cpp:5432] %s\n", rows[i].text);
		fclose(f);
		heard = look_beside("agent.log", false);
		if (heard.ends != rows[i].want)
			fail_msg("'%s': %zu ends", rows[i].text, heard.ends);
		if (!rows[i].want)
			continue;
		assert_string_equal(heard.cause, "killed-by-agent");
		assert_non_null(strstr(heard.text, "the agent's log says '"));
		assert_non_null(strstr(heard.text, rows[i].text));
	}
}

static void text_emit(void *ctx, const struct fact *fact)
{
	if (fact->type == FACT_END && strcmp(fact->end.cause, "killed-by-agent") == 0)
		snprintf(ctx, 512, "%s", fact->end.text);
}

/* Logs of a real agent (Mesos 1.12) that had killed its executor. */
static void orders_in_a_real_agents_log(void **state)
{
	static const struct {
		const char *log, *framework, *ends;
	} rows[] = {
		{ "agent-recovery-killed.log", "1ea029bb-2351-414e-b6b2-be3548091cd4-0000",
		  " at executor(1)@127.0.0.1:35813'." },
		{ "agent-recovery-v1-halfopen.log", "947054f5-51a1-4674-8e78-9c10398487ee-0000",
		  " (via HTTP)'." },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct post_mortem_run real = { rows[i].framework, "web", "C" };
		const struct post_mortem_run others[] = { { rows[i].framework, "we", "C" },
							  { "F", "web", "C" } };
		struct agent_log_place place = { 0 };
		char text[512] = "", want[512];
		struct fact_sink sink = { text_emit, text };

		snprintf(place.file, sizeof(place.file), LOG "%s", rows[i].log);
		post_mortem_emit(dir, &place, others, 2, &sink);
		assert_string_equal(text, "");
		post_mortem_emit(dir, &place, &real, 1, &sink);
		snprintf(
			want, sizeof(want),
			"the agent's log says 'Killing un-reregistered executor 'web' of framework "
			"%s%s",
			rows[i].framework, rows[i].ends);
		assert_string_equal(text, want);
	}
}

static void status_write(const char *status)
{
	char path[256];
	FILE *f;

	make("run/containers/C");
	snprintf(path, sizeof(path), "%s/run/containers/C/status", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(status, f);
	fclose(f);
}

/* As wait(2) gives it: 139 is SIGSEGV with a core, 9 SIGKILL, 256 an exit with 1. */
static void container_status(void **state)
{
	static const struct {
		const char *status, *cause; /* NULL: none */
	} rows[] = {
		{ "139", "crashed" }, { "6", "crashed" }, { "9", "killed" },
		{ "15", "killed" },   { "0", NULL },	  { "256", NULL },
		{ "", NULL },	      { "9x", NULL },	  { "x", NULL },
	};

	struct heard last;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard;

		status_write(rows[i].status);
		heard = look_for(true);
		if (heard.ends != (rows[i].cause != NULL) ||
		    (rows[i].cause && strcmp(heard.cause, rows[i].cause) != 0))
			fail_msg("'%s': %zu ends, %s", rows[i].status, heard.ends, heard.cause);
	}
	/* What its log says is more. */
	status_write("9");
	copy(LOG "executor-web-stderr-selfterminate.log", "slaves/S0/" RUN "/stderr");
	last = look();
	assert_int_equal(last.ends, 1);
	assert_string_equal(last.cause, "self-terminated");
}

/* The updates of a task that runs, with another state in the last one (TaskState of mesos.proto).
 */
static void updates_end_with(char task_state)
{
	static const char running[] = "\3web\x10\1"; /* TaskStatus: end of 1: task_id, 2: state */
	char path[256], bytes[1024];
	size_t size;
	char *at;
	FILE *f;

	copy("tests/data/lab/disk.task.updates", "meta/slaves/S0/" RUN "/tasks/t/task.updates");
	snprintf(path, sizeof(path), "%s/meta/slaves/S0/" RUN "/tasks/t/task.updates", dir);
	f = fopen(path, "r+e");
	assert_non_null(f);
	size = fread(bytes, 1, sizeof(bytes), f);
	at = memmem(bytes, size, running, strlen(running));
	assert_non_null(at);
	fseek(f, at - bytes + (long)strlen(running) - 1, SEEK_SET);
	fputc(task_state, f);
	assert_int_equal(fclose(f), 0);
}

/* Found under the id of an agent that is no more. */
static void last_update(void **state)
{
	static const struct {
		char task_state;
		const char *want; /* "": it has not ended */
	} rows[] = { { 1, "" }, { 2, "TASK_FINISHED" }, { 3, "TASK_FAILED" } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct heard heard;

		updates_end_with(rows[i].task_state);
		heard = look();
		assert_int_equal(heard.tasks, *rows[i].want ? 1 : 0);
		assert_string_equal(heard.state, rows[i].want);
		assert_int_equal(heard.unread, 0);
	}
}

/* A tenant writes into its sandbox: no link of its leads anywhere. */
static void links_are_not_followed(void **state)
{
	char path[256];

	(void)state;
	copy(LOG "executor-web-stderr-selfterminate.log", "log");
	snprintf(path, sizeof(path), "%s/slaves/S0/" RUN "/stderr", dir);
	assert_int_equal(symlink("../../../../../../../../log", path), 0);
	assert_int_equal(look().ends, 0);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0); /* and nobody waits for a writer */
	assert_int_equal(look().ends, 0);
}

/* As another user, who may read everything but what is at that path. */
static struct heard look_without(const char *below)
{
	struct heard heard;
	char command[512];

	snprintf(command, sizeof(command), "chmod -R go+rX '%s' && chmod go= '%s/%s'", dir, dir,
		 below);
	assert_int_equal(system(command), 0);
	assert_int_equal(seteuid(65534), 0);
	heard = look();
	assert_int_equal(seteuid(0), 0);
	return heard;
}

static void what_may_not_be_read_is_said(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	copy(LOG "executor-web-stderr-selfterminate.log", "slaves/S0/" RUN "/stderr");
	assert_int_equal(look_without("meta/slaves/S0/" RUN "/tasks").unread, 1);
	assert_int_equal(look_without("slaves/S0/" RUN "/stderr").unread, 1);
	assert_int_equal(look_without("slaves/S0/" RUN).unread, 1);
	assert_int_equal(look_without("slaves").unread, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(real_logs, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(rotated_logs, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(orders_in_its_log, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(orders_in_the_agents_log, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(orders_in_a_real_agents_log, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(container_status, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(last_update, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(links_are_not_followed, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(what_may_not_be_read_is_said, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
