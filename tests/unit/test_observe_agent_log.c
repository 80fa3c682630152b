/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of an agent's log: files, rotated ones, the journal's notation, the line that counts. */
#include <fcntl.h>
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
#include "observe/agent/file_tail.h"

static void last_words(void **state)
{
	static const struct {
		const char *log, *want; /* NULL: none */
	} cases[] = {
		{ "", NULL },
		{ "\n\n", NULL },
		{ "I1012 16:43:29.363692 35513 slave.cpp:463] a\nb\n", "b" },
		{ "a\nE1012 16:43:29.363692 35513 slave.cpp:463] bad\nb\n",
		  "E1012 16:43:29.363692 35513 slave.cpp:463] bad" },
		{ "Failed to perform recovery: x\nTo remedy this\nE1012 16:43:29 bad\n",
		  "Failed to perform recovery: x" },
		{ "Failed to perform recovery: x\nFailed to perform recovery: y",
		  "Failed to perform recovery: y" },
		{ "Every line\nFalse alarm\n", "False alarm" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mesos_span word = agent_log_last_word(mesos_span_of(cases[i].log));

		if (cases[i].want ? !mesos_span_is(word, cases[i].want) : word.p != NULL)
			fail_msg("case %zu: '%.*s'", i, (int)word.len, word.p ? word.p : "");
	}
}

static void the_journal(void **state)
{
	static const char json[] = "{\"MESSAGE\":\"one\",\"PRIORITY\":\"6\"}\n"
				   "{\"MESSAGE\":[98,108,111,98]}\n"
				   "no json\n"
				   "{\"MESSAGE\":null}\n"
				   "{\"_PID\":\"7\",\"MESSAGE\":\"t\\u0077o\"}\n"
				   "{\"MESSAGE\":\"cut";
	char text[sizeof(json)];
	size_t len = agent_log_of_journal(mesos_span_of(json), text);

	(void)state;
	assert_true(mesos_span_is(mesos_span_at(text, len), "one\ntwo\n"));
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void no_emit(void *ctx, const struct fact *fact)
{
	(void)ctx, (void)fact;
	fail_msg("something could not be read");
}

static void has(const struct agent_log_place *place, size_t max, const char *source,
		const char *want)
{
	const struct fact_sink sink = { .emit = no_emit };
	const char *from = "";
	struct mesos_span log = agent_log_read(place, max, &from, &sink);

	if (!mesos_span_is(log, want) || strcmp(from, source) != 0)
		fail_msg("%s: '%.*s'", from, (int)log.len, log.p ? log.p : "");
	file_tail_free(log);
}

static void files(void **state)
{
	char dir[] = "/tmp/agent-log-XXXXXX";
	struct agent_log_place place = { 0 };
	char command[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	put(dir, "agent.log", "second\n");
	snprintf(place.file, sizeof(place.file), "%s/agent.log", dir);
	has(&place, 100, "stderr", "second\n");
	put(dir, "agent.log.1", "first\n");
	has(&place, 100, "stderr", "first\nsecond\n");
	has(&place, 9, "stderr", "t\nsecond\n");
	has(&place, 4, "stderr", "ond\n");
	/* What is no regular file is none; then the directory counts. */
	put(dir, "mesos-slave.INFO", "third\n");
	snprintf(place.dir, sizeof(place.dir), "%s", dir);
	snprintf(place.file, sizeof(place.file), "/dev/null");
	has(&place, 100, "log_dir", "third\n");
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* A file on standard error is found by its name; a pipe has none. */
static void what_is_remembered(void **state)
{
	struct agent_log_place place;
	int saved = dup(STDERR_FILENO), pipe_fds[2], file;
	char path[] = "/tmp/agent-log-XXXXXX";

	(void)state;
	file = mkstemp(path);
	assert_int_equal(pipe(pipe_fds), 0);
	dup2(file, STDERR_FILENO);
	agent_log_remember(getpid(), &place);
	dup2(saved, STDERR_FILENO);
	assert_string_equal(place.file, path);
	assert_string_equal(place.dir, "");
	dup2(pipe_fds[1], STDERR_FILENO);
	agent_log_remember(getpid(), &place);
	dup2(saved, STDERR_FILENO);
	assert_string_equal(place.file, "");
	close(saved), close(file), close(pipe_fds[0]), close(pipe_fds[1]);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_words),
		cmocka_unit_test(the_journal),
		cmocka_unit_test(files),
		cmocka_unit_test(what_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
