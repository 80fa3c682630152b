/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The samples in every form, against the files in tests/data/show. EW_GOLDEN=write makes those
 * anew: read the difference before committing it.
 */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "show/json/json_report.h"
#include "show/nagios.h"
#include "show/table/table.h"
#include "show/table/table_plan.h"
#include "show_samples.h"

enum form { FORM_TABLE, FORM_VERBOSE, FORM_COLOR, FORM_WIDE, FORM_JSON, FORM_JSONL, FORM_NAGIOS };

static const char *const suffixes[] = { "table", "verbose", "color", "wide",
					"json",	 "jsonl",   "nagios" };

static int form_write(FILE *out, const struct report *report, enum form form)
{
	struct layout options = {
		.width = form == FORM_WIDE ? 132 : 80,
		.verbose = form == FORM_VERBOSE,
		.color = form == FORM_COLOR,
	};

	if (form == FORM_NAGIOS)
		return nagios_write(out, report);
	if (form == FORM_JSON)
		return json_report_write(out, report);
	if (form == FORM_JSONL)
		return json_report_line_write(out, NULL, report);
	return table_write(out, report, &options);
}

static char *form_text(const struct report *report, enum form form)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(form_write(out, report, form), 0);
	fclose(out);
	return text;
}

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static void golden_check(const char *name, const char *suffix, const char *text)
{
	const char *mode = getenv("EW_GOLDEN");
	char path[128];
	char *golden;

	snprintf(path, sizeof(path), "tests/data/show/%s.%s", name, suffix);
	if (mode && strcmp(mode, "write") == 0) {
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs(text, file);
		assert_int_equal(fclose(file), 0);
		return;
	}
	golden = file_text(path);
	if (strcmp(golden, text) != 0)
		fail_msg("differs from %s, is now:\n%s", path, text);
	free(golden);
}

static bool is_wanted(const char *name, enum form form)
{
	bool is_audit = strcmp(name, "audit") == 0, is_verify = strcmp(name, "verify") == 0;

	if (form == FORM_VERBOSE || form == FORM_COLOR || form == FORM_WIDE)
		return is_audit || is_verify;
	if (form == FORM_JSONL)
		return is_audit;
	return form == FORM_TABLE || form == FORM_NAGIOS || strcmp(name, "many") != 0;
}

static void test_against_the_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct report report = samples[i].make();

		for (size_t form = 0; form < COUNT(suffixes); form++) {
			char *text;

			if (!is_wanted(samples[i].name, (enum form)form))
				continue;
			text = form_text(&report, (enum form)form);
			golden_check(samples[i].name, suffixes[form], text);
			free(text);
		}
	}
}

/* Measured by the C library, which shares no table with what is tested. */
static void lines_measure(const char *name, const char *text, int width)
{
	wchar_t wide[4096];
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t n = mbstowcs(wide, line, COUNT(wide));
		int columns = n == (size_t)-1 ? -1 : wcswidth(wide, n);

		if (columns < 0 || columns > width)
			fail_msg("%s: %d columns: %s", name, columns, line);
	}
	free(copy);
}

static void test_no_line_is_too_wide(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct report report = samples[i].make();

		for (int width = 72; width <= 132; width += 4) {
			for (int verbose = 0; verbose < 2; verbose++) {
				struct layout options = { width, false, verbose };
				char *text = NULL;
				size_t len;
				FILE *out = open_memstream(&text, &len);

				assert_int_equal(table_write(out, &report, &options), 0);
				fclose(out);
				lines_measure(samples[i].name, text, width);
				free(text);
			}
		}
	}
}

static void test_a_full_disk_is_noticed(void **state)
{
	struct report report = sample_audit();

	(void)state;
	for (size_t form = 0; form < COUNT(suffixes); form++) {
		FILE *out = fopen("/dev/full", "we");

		assert_non_null(out);
		assert_int_equal(form_write(out, &report, (enum form)form), -ENOSPC);
		fclose(out);
	}
}

static void test_a_plan(void **state)
{
	static const struct model_target targets[] = {
		{ .executor_id = "odd \n\x1b[2J",
		  .pid = 105,
		  .fd = 9,
		  .verdict = VERDICT_HALF_OPEN,
		  .recovery_timeout = 15 * MINUTE },
		{ .executor_id = "wide",
		  .pid = 107,
		  .fd = 11,
		  .verdict = VERDICT_AT_RISK,
		  .recovery_timeout = DAY },
		{ .executor_id = "gone",
		  .pid = 103,
		  .fd = -1,
		  .verdict = VERDICT_DISCONNECTED,
		  .recovery_timeout = 15 * MINUTE,
		  .forbidden = "it is disconnected: a second disconnect would end it at once" },
	};
	static const struct layout options = { .width = 80 };

	(void)state;
	for (size_t n = 0; n <= COUNT(targets); n += COUNT(targets)) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		assert_int_equal(table_plan_write(out, targets, n, false, &options), 0);
		fclose(out);
		golden_check(n ? "plan" : "plan-nothing", "table", text);
		free(text);
	}
}

/* Any process may listen on the port, under any name. */
static void test_a_strangers_name_is_not_in_the_plugins_line(void **state)
{
	struct report report = sample_none();
	char *text;

	(void)state;
	report.agent.pid = 7;
	report.agent.comm = "a|b\nEXECWATCH";
	text = form_text(&report, FORM_NAGIOS);
	assert_non_null(strstr(text, "UNKNOWN - a process (pid 7) listens on port 5051, and"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_ptr_equal(strchr(text, '|'), strrchr(text, '|'));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_files),
		cmocka_unit_test(test_no_line_is_too_wide),
		cmocka_unit_test(test_a_full_disk_is_noticed),
		cmocka_unit_test(test_a_plan),
		cmocka_unit_test(test_a_strangers_name_is_not_in_the_plugins_line),
	};

	samples_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
