/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Acts of before, read back: those that were done, in this boot. */
#include <errno.h>
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

#include "act/audit_log.h"
#include "base/error.h"
#include "base/now.h"
#include "base/walltime.h"
#include "facts.h"
#include "log_dir.h"

struct heard {
	size_t n;
	int32_t pid[8];
	int64_t mono[8];
};

static void heard_emit(void *ctx, const struct fact *fact)
{
	struct heard *heard = ctx;

	assert_int_equal(fact->type, FACT_ACT);
	heard->pid[heard->n] = fact->act.pid;
	heard->mono[heard->n++] = fact->mono;
}

static void write_fact(struct fact_act act, int64_t mono)
{
	struct fact fact = { .type = FACT_ACT, .mono = mono, .act = act };
	struct audit_log *log;

	assert_int_equal(audit_log_open(dir, &log, NULL), 0);
	assert_int_equal(audit_log_write(log, &fact, NULL), 0);
	audit_log_close(log);
}

static void write_act(const char *phase, const char *result, int32_t pid, int64_t mono)
{
	write_fact((struct fact_act){ .phase = phase,
				      .action = "shutdown",
				      .pid = pid,
				      .result = result,
				      .stopped = -1,
				      .effect = -1 },
		   mono);
}

static struct heard read_all(void)
{
	struct heard heard = { 0 };
	struct fact_sink sink = { heard_emit, &heard };

	assert_int_equal(audit_log_read(dir, walltime_offset(), &sink, NULL), 0);
	return heard;
}

static void done_ones(void **state)
{
	int64_t now = now_mono();
	struct heard heard;
	FILE *f;

	(void)state;
	assert_int_equal(read_all().n, 0); /* there is no log */
	write_act("intent", "", 1, now);
	write_act("intent", "done", 1, now); /* no line of ours: what counts is a result */
	write_act("result", "failed", 2, now);
	write_act("result", "done", 3, now);
	f = fopen(path, "a");
	fputs("{\"phase\":\"res\n\n[]\n", f); /* somebody's power failed */
	fclose(f);
	write_act("result", "done", 4, now - 1);
	write_act("result", "held", 5, now);
	heard = read_all();
	assert_int_equal(heard.n, 3);
	assert_int_equal(heard.pid[0], 3);
	assert_true(heard.mono[0] == now);
	assert_int_equal(heard.pid[1], 4);
	assert_int_equal(heard.pid[2], 5);
}

/* Its clock began anew: what was written a day after the act by these clocks is of another boot. */
static void another_boot(void **state)
{
	(void)state;
	write_act("result", "done", 5, now_mono() - 86400 * NS_PER_S);
	write_act("result", "done", 6, now_mono());
	assert_int_equal(read_all().n, 1);
	assert_int_equal(read_all().pid[0], 6);
}

/* No number that a damaged line holds is taken for a time of this boot. */
static void impossible_times(void **state)
{
	(void)state;
	write_act("result", "done", 7, INT64_MIN);
	write_act("result", "done", 8, INT64_MAX);
	write_act("result", "done", 9, now_mono());
	assert_int_equal(read_all().n, 1);
	assert_int_equal(read_all().pid[0], 9);
}

static struct heard read_open(void)
{
	struct heard heard = { 0 };
	struct fact_sink sink = { heard_emit, &heard };
	struct error error = { 0 };

	assert_int_equal(audit_log_read_open(dir, walltime_offset(), &sink, &error), 0);
	return heard;
}

/* Those that no result follows, in their order. */
static void open_intents(void **state)
{
	int64_t now = now_mono();
	struct heard heard;

	(void)state;
	assert_int_equal(read_open().n, 0); /* there is no log */
	for (int32_t pid = 1; pid <= 4; pid++)
		write_act("intent", "", pid, now);
	write_act("result", "done", 3, now);
	write_act("result", "skipped", 1, now);
	write_act("intent", "", 5, now - 86400 * NS_PER_S); /* of another boot */
	write_act("intent", "", 3, now);		    /* the same socket again */
	heard = read_open();
	assert_int_equal(heard.n, 3);
	assert_int_equal(heard.pid[0], 2);
	assert_int_equal(heard.pid[1], 4);
	assert_int_equal(heard.pid[2], 3);
	write_act("result", "failed", 2, now);
	write_act("result", "refused", 3, now);
	write_act("result", "failed", 4, now);
	assert_int_equal(read_open().n, 0);
}

/* A result ends the intent for its own socket, and for its own process alone. */
static void a_result_of_another_socket(void **state)
{
	static const struct fact_act intent = { .phase = "intent",
						.action = "shutdown",
						.pid = 1,
						.start = 5,
						.inode = 7,
						.stopped = -1,
						.effect = -1 };
	struct fact_act other = intent, same = intent;

	(void)state;
	other.phase = same.phase = "result";
	other.result = same.result = "done";
	write_fact(intent, now_mono());
	other.inode = 8;
	write_fact(other, now_mono());
	assert_int_equal(read_open().n, 1);
	other.inode = 7;
	other.start = 6;
	write_fact(other, now_mono());
	assert_int_equal(read_open().n, 1);
	write_fact(same, now_mono());
	assert_int_equal(read_open().n, 0);
}

/* A guard may never carry out what it stands by for. */
static void a_guard_has_no_open_intents(void **state)
{
	(void)state;
	write_fact((struct fact_act){ .phase = "intent",
				      .action = "shutdown",
				      .pid = 1,
				      .reason_id = "guard",
				      .stopped = -1,
				      .effect = -1 },
		   now_mono());
	assert_int_equal(read_open().n, 0);
}

static void cannot_be_read(void **state)
{
	struct heard heard = { 0 };
	struct fact_sink sink = { heard_emit, &heard };
	struct error error = { 0 };

	(void)state;
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(audit_log_read(dir, walltime_offset(), &sink, &error), -ELOOP);
	assert_non_null(strstr(error.message, path));
	assert_int_equal(heard.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(done_ones, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(another_boot, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(impossible_times, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(open_intents, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(a_result_of_another_socket, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(a_guard_has_no_open_intents, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(cannot_be_read, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
