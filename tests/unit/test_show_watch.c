/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live views: one JSON line for what happens, a screen that fits, a line of progress. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <cmocka.h>

#include "base/addr.h"
#include "show/term_text.h"
#include "show/event_text.h"
#include "show/json/watch_jsonl.h"
#include "show/screen/watch_screen.h"
#include "show/screen/progress.h"

#define S    INT64_C(1000000000)
#define NOW  (INT64_C(1795503026) * S)
#define MONO (100 * S)

static const struct fact window = {
	.type = FACT_SESSION,
	.mono = MONO,
	.session = { .tool = "0.1.0",
		     .verb = "watch",
		     .host = "node-17",
		     .boot_id = "b",
		     .kernel = "6.18",
		     .agent_port = 5051,
		     .wall_offset = NOW - MONO },
};
static const struct fact ended = {
	.type = FACT_EXIT,
	.mono = MONO + S,
	.exit = { .pid = 12,
		  .start = 7,
		  .comm = "\x1b[2Jevil",
		  .status = 9,
		  .signal = 9,
		  .killer = 811,
		  .killer_comm = "mesos-agent" },
};
static const struct fact socket_seen = { .type = FACT_SOCKET, .mono = MONO };

static struct fact agent_fact(bool gone, int64_t mono)
{
	struct fact fact = { .type = FACT_AGENT,
			     .mono = mono,
			     .agent = { .pid = 811, .comm = "mesos-agent", .gone = gone } };

	addr_parse("10.0.0.7:5051", &fact.agent.listen);
	return fact;
}

static struct report_executor executors[] = {
	{ .executor_id = "late",
	  .framework_id = "f",
	  .pid = 12,
	  .comm = "mesos-executor",
	  .advice = "",
	  .outcome = OUTCOME_WAITING,
	  .severity = SEVERITY_WARNING,
	  .deadline = NOW + 751 * S },
	{ .executor_id = "fine",
	  .framework_id = "f",
	  .pid = 13,
	  .comm = "mesos-executor",
	  .advice = "",
	  .outcome = OUTCOME_REREGISTERED,
	  .proof = PROOF_MESSAGE },
};

static struct report report_new(void)
{
	struct report report = {
		.kind = REPORT_VERIFY,
		.tool = "0.1.0",
		.host = "node-17",
		.boot_id = "b",
		.generated = NOW,
		.agent_port = 5051,
		.executors = executors,
		.n_executors = 2,
		.agent = { .pid = 811,
			   .comm = "mesos-agent",
			   .version = "",
			   .slave_id = "",
			   .work_dir = "",
			   .api = "recovering" },
	};

	report.outcomes[OUTCOME_WAITING] = 1;
	report.outcomes[OUTCOME_REREGISTERED] = 1;
	executors[0].outcome = OUTCOME_WAITING;
	return report;
}

struct capture {
	char *text;
	size_t len;
	FILE *file;
};

static void capture_begin(struct capture *capture)
{
	*capture = (struct capture){ 0 };
	capture->file = open_memstream(&capture->text, &capture->len);
	assert_non_null(capture->file);
}

/* The lines that were written, parsed; frees the capture. */
static json_t *capture_lines(struct capture *capture)
{
	json_t *lines = json_array();
	char *rest, *line;

	fclose(capture->file);
	rest = capture->text;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(object);
		json_array_append_new(lines, object);
	}
	free(capture->text);
	return lines;
}

static const char *text_at(const json_t *lines, size_t i, const char *name)
{
	const char *text = json_string_value(json_object_get(json_array_get(lines, i), name));

	assert_non_null(text);
	return text;
}

static void emit(struct watch_jsonl *lines, struct fact fact)
{
	struct fact_sink sink = watch_jsonl_sink(lines);

	fact_emit(&sink, &fact);
}

static void test_events_are_lines(void **state)
{
	struct capture capture;
	struct watch_jsonl *live;
	json_t *lines;

	(void)state;
	capture_begin(&capture);
	live = watch_jsonl_new(capture.file);
	emit(live, window);
	emit(live, ended);
	emit(live, socket_seen); /* a snapshot's evidence is no event */
	assert_non_null(strstr(capture.text,
			       "{\"seq\":2,\"ts\":\"2026-11-24T06:50:27.000Z\","
			       "\"mono_ns\":101000000000,\"type\":\"exit\",\"pid\":12,"));
	lines = capture_lines(&capture);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(text_at(lines, 0, "type"), "window");
	assert_string_equal(text_at(lines, 1, "comm"), "\x1b[2Jevil");
	json_decref(lines);
	watch_jsonl_free(live);
}

static void test_the_same_again_is_no_event(void **state)
{
	struct fact api = { .type = FACT_API, .mono = MONO, .api = { .http_status = 503 } };
	struct capture capture;
	struct watch_jsonl *live;
	json_t *lines;

	(void)state;
	capture_begin(&capture);
	live = watch_jsonl_new(capture.file);
	emit(live, agent_fact(false, MONO));
	emit(live, agent_fact(false, MONO + S));
	emit(live, agent_fact(true, MONO + 2 * S));
	emit(live, ended);
	emit(live, ended); /* by a scan after a loss of events */
	emit(live, api);
	api.api.answer_nr = 2;
	emit(live, api);
	api.api.http_status = 200;
	emit(live, api);
	lines = capture_lines(&capture);
	assert_int_equal(json_array_size(lines), 5);
	assert_string_equal(text_at(lines, 1, "type"), "agent");
	assert_true(text_at(lines, 1, "ts")[0] == '2'); /* the host's own, where no window came */
	assert_string_equal(text_at(lines, 4, "type"), "api");
	json_decref(lines);
	watch_jsonl_free(live);
}

/* All lines of a report. */
static int report_write(struct watch_jsonl *lines, const struct report *report)
{
	size_t next = 0;
	int ret;

	while ((ret = watch_jsonl_report(lines, report, &next)) > 0)
		;
	return ret;
}

static void test_judgements_are_told_when_they_change(void **state)
{
	struct report report = report_new();
	struct capture capture;
	struct watch_jsonl *live;
	json_t *lines, *last;

	(void)state;
	capture_begin(&capture);
	live = watch_jsonl_new(capture.file);
	emit(live, window);
	assert_int_equal(report_write(live, &report), 0);
	report.generated += S;
	assert_int_equal(report_write(live, &report), 0);
	executors[0].ends_by = report.generated + 6 * S; /* its timer has fired */
	assert_int_equal(report_write(live, &report), 0);
	executors[0].outcome = OUTCOME_KILLED;
	assert_int_equal(report_write(live, &report), 0);
	executors[0].ends_by = 0;
	assert_int_equal(watch_jsonl_end(live, &report), 0);
	lines = capture_lines(&capture);
	assert_int_equal(json_array_size(lines), 6);
	assert_string_equal(text_at(lines, 1, "outcome"), "waiting");
	assert_string_equal(text_at(lines, 1, "deadline"), "2026-11-24T07:02:57.000Z");
	assert_string_equal(text_at(lines, 2, "outcome"), "reregistered");
	assert_string_equal(text_at(lines, 3, "outcome"), "waiting");
	assert_string_equal(text_at(lines, 4, "outcome"), "killed");
	assert_string_equal(text_at(lines, 4, "ts"), "2026-11-24T06:50:27.000Z");
	last = json_array_get(lines, 5);
	assert_string_equal(text_at(lines, 5, "type"), "summary");
	assert_int_equal(json_integer_value(json_object_get(last, "seq")), 6);
	assert_int_equal(json_array_size(json_object_get(last, "executors")), 2);
	json_decref(lines);
	watch_jsonl_free(live);
}

static void test_nobody_reads_any_more(void **state)
{
	struct report report = report_new();
	FILE *out = fopen("/dev/full", "we");
	struct watch_jsonl *live = watch_jsonl_new(out);

	(void)state;
	emit(live, window);
	assert_int_equal(report_write(live, &report), -ENOSPC);
	assert_int_equal(watch_jsonl_end(live, &report), -ENOSPC);
	watch_jsonl_free(live);
	fclose(out);
}

/* One line without its "\x1b[K". */
static void screen_line_check(char *line, int width)
{
	char *end = strstr(line, "\x1b[K");

	assert_non_null(end);
	assert_string_equal(end, "\x1b[K");
	*end = '\0';
	assert_null(strchr(line, '\x1b')); /* nothing of a stranger's moves the cursor */
	assert_true(term_text_width(line) <= width);
}

static void screen_check(const char *frame, int rows, int width)
{
	char *copy = strdup(frame), *rest = copy, *line;
	int lines = 0;

	assert_int_equal(strncmp(rest, "\x1b[H", 3), 0);
	rest += 3;
	while (strchr(rest, '\n')) {
		line = strsep(&rest, "\n");
		screen_line_check(line, width);
		lines++;
	}
	assert_string_equal(rest, "\x1b[J");
	assert_true(lines < rows);
	free(copy);
}

static void test_the_screen_fits(void **state)
{
	static struct report_executor many[100];
	struct report report = report_new();
	struct layout options = { .width = 80, .verbose = true };
	struct watch_screen *screen;
	struct fact_sink sink;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		many[i] = executors[0];
	report.executors = many;
	report.n_executors = 100;
	for (int rows = 12; rows <= 300; rows += 144) {
		struct capture capture;

		capture_begin(&capture);
		screen = watch_screen_new(capture.file);
		sink = watch_screen_sink(screen);
		fact_emit(&sink, &window);
		for (int i = 0; i < 3; i++)
			fact_emit(&sink, &ended);
		assert_int_equal(watch_screen_draw(screen, &report, rows, &options), 0);
		screen_check(capture.text, rows, 80);
		assert_non_null(strstr(capture.text, "06:50:27Z  pid 12 \\x1b[2Jevil ended: signal "
						     "9 from pid 811 (mesos-agent)"));
		if (rows < 100)
			assert_non_null(strstr(capture.text, " more lines)"));
		else
			assert_null(strstr(capture.text, " more lines)"));
		watch_screen_free(screen);
		fclose(capture.file);
		free(capture.text);
	}
}

static void test_the_latest_events_are_kept(void **state)
{
	struct report report = report_new();
	struct layout options = { .width = 80 };
	struct capture capture;
	struct watch_screen *screen;
	struct fact_sink sink;
	struct fact fact = ended;

	(void)state;
	capture_begin(&capture);
	screen = watch_screen_new(capture.file);
	sink = watch_screen_sink(screen);
	for (int i = 100; i < 120; i++) {
		struct fact agent = agent_fact(false, MONO);

		fact.exit.pid = i;
		fact_emit(&sink, &fact);
		fact_emit(&sink, &agent); /* found by each snapshot: reported once */
	}
	assert_int_equal(watch_screen_draw(screen, &report, 50, &options), 0);
	assert_non_null(strstr(capture.text, "pid 119 "));
	assert_non_null(strstr(capture.text, "pid 112 "));
	assert_null(strstr(capture.text, "pid 111 "));
	assert_null(strstr(capture.text, "listens on"));
	watch_screen_free(screen);
	fclose(capture.file);
	free(capture.text);
}

static void test_connections_in_words(void **state)
{
	static const struct {
		uint32_t from, to;
		const char *words;
	} cases[] = {
		{ TCP_SYN_SENT, TCP_ESTABLISHED, "10.0.0.7:40000 to 10.0.0.7:5051 connected" },
		{ TCP_ESTABLISHED, TCP_CLOSE_WAIT,
		  "10.0.0.7:40000 to 10.0.0.7:5051 ended by the other side" },
		{ TCP_LAST_ACK, TCP_CLOSE, "10.0.0.7:40000 to 10.0.0.7:5051 closed" },
		{ TCP_SYN_SENT, TCP_CLOSE, "10.0.0.7:40000 to 10.0.0.7:5051 refused" },
		{ TCP_ESTABLISHED, TCP_FIN_WAIT1, NULL },
		{ TCP_CLOSE, TCP_LISTEN, NULL },
		{ TCP_LISTEN, TCP_CLOSE, NULL },
	};
	struct fact fact = { .type = FACT_TCP };
	char text[128];

	(void)state;
	addr_parse("10.0.0.7:40000", &fact.tcp.local);
	addr_parse("10.0.0.7:5051", &fact.tcp.remote);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fact.tcp.from = cases[i].from;
		fact.tcp.to = cases[i].to;
		assert_int_equal(event_text(&fact, text, sizeof(text)), cases[i].words != NULL);
		if (cases[i].words)
			assert_string_equal(text, cases[i].words);
	}
}

static void test_progress(void **state)
{
	struct report report = report_new();
	struct capture capture;

	(void)state;
	capture_begin(&capture);
	assert_int_equal(progress_write(capture.file, &report), 0);
	assert_string_equal(capture.text, "waiting for 1 of 2 · next deadline in 12:31 · "
					  "agent recovering\n");
	fclose(capture.file);
	free(capture.text);

	capture_begin(&capture);
	assert_int_equal(progress_draw(capture.file, &report, 30), 0);
	assert_int_equal(progress_clear(capture.file), 0);
	assert_string_equal(capture.text, "\rwaiting for 1 of 2 · next de…\x1b[K\r\x1b[K");
	fclose(capture.file);
	free(capture.text);

	capture_begin(&capture);
	report.ending = 1;
	executors[0].deadline = NOW - S;
	assert_int_equal(progress_write(capture.file, &report), 0);
	assert_string_equal(capture.text, "waiting for 1 of 2 · 1 ending · agent recovering\n");
	report.ending = 0;
	executors[0].deadline = NOW + 751 * S;
	fclose(capture.file);
	free(capture.text);

	capture_begin(&capture);
	report.outcomes[OUTCOME_WAITING] = 0;
	report.outcomes[OUTCOME_KILLED] = 1;
	report.agent.pid = 0;
	report.command = "reboot";
	executors[0].ended = NOW;
	assert_int_equal(progress_write(capture.file, &report), 0);
	assert_string_equal(capture.text, "2/2 done · 1 lost · no agent · command running\n");
	executors[0].ended = 0;
	fclose(capture.file);
	free(capture.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_are_lines),
		cmocka_unit_test(test_the_same_again_is_no_event),
		cmocka_unit_test(test_judgements_are_told_when_they_change),
		cmocka_unit_test(test_nobody_reads_any_more),
		cmocka_unit_test(test_the_screen_fits),
		cmocka_unit_test(test_the_latest_events_are_kept),
		cmocka_unit_test(test_connections_in_words),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
