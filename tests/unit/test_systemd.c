/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Unit files, environments and command lines as systemd reads them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "systemd/environment.h"
#include "systemd/exec_line.h"
#include "systemd/show_output.h"
#include "systemd/specifiers.h"
#include "systemd/unit_file.h"
#include "systemd/unit_name.h"
#include "systemd/values.h"
#include "systemd/words.h"

static struct unit_settings *unit_of(struct arena *arena, const char *const *texts)
{
	struct unit_settings *settings = unit_settings_new(arena);

	for (; *texts; texts++)
		unit_settings_add(settings, *texts, strlen(*texts), "a file");
	return settings;
}

static void the_last_assignment_of_a_setting_counts(void **state)
{
	static const struct {
		const char *texts[4];
		const char *want; /* of [Service] KillMode */
	} rows[] = {
		{ { "[Service]\nKillMode=process\n" }, "process" },
		{ { "[Service]\n  KillMode = mixed  \n" }, "mixed" },
		{ { "[Service]\nKillMode=process\nKillMode=none\n" }, "none" },
		{ { "[Unit]\nKillMode=process\n" }, NULL },
		{ { "KillMode=process\n" }, NULL },
		{ { "[Service]\n#KillMode=process\n;KillMode=none\n" }, NULL },
		{ { "[Service]\nKillMode=process" }, "process" },
		{ { "[Service]\r\nKillMode=process\r\n" }, "process" },
		{ { "\xef\xbb\xbf[Service]\nKillMode=process\n" }, "process" },
		{ { "[Service]\nExecStart=/bin/a \\\n# KillMode=none\nKillMode=mixed\n" }, NULL },
		{ { "[Service]\nExecStart=/bin/a \\\\\nKillMode=mixed\n" }, "mixed" },
		{ { "[Service]\nKillMode=process\n", "[Service]\nKillMode=mixed\n" }, "mixed" },
		{ { "[Service]\nKillMode=process\n", "[Service]\nKillMode=\n" }, NULL },
		{ { "[Service]\nKillMode=process\n", "KillMode=none\n" }, "process" },
		{ { "[Service\nKillMode=process\n" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		const char *got =
			unit_setting(unit_of(arena, rows[i].texts), "Service", "KillMode");

		if (strcmp(got ? got : "none", rows[i].want ? rows[i].want : "none") != 0 ||
		    !got != !rows[i].want)
			fail_msg("row %zu: %s", i, got ? got : "nothing");
		arena_free(arena);
	}
}

static void a_list_adds_up_and_an_empty_assignment_drops_it(void **state)
{
	static const char *const texts[] = {
		"[Service]\nExecStartPre=/bin/a\nExecStartPre=/bin/b \\\n   --more\n",
		"[Service]\nExecStartPre=\nExecStartPre=/bin/c\n", NULL
	};
	struct arena *arena = arena_new();
	struct unit_settings *unit = unit_settings_new(arena);
	const struct unit_line *lines;
	size_t n;

	(void)state;
	unit_settings_add(unit, texts[0], strlen(texts[0]), "/etc/a.service");
	lines = unit_setting_list(unit, "Service", "ExecStartPre", &n);
	assert_int_equal(n, 2);
	assert_string_equal(lines[1].value, "/bin/b     --more");
	assert_string_equal(lines[1].path, "/etc/a.service");
	unit_settings_add(unit, texts[1], strlen(texts[1]), "/etc/a.service.d/b.conf");
	lines = unit_setting_list(unit, "Service", "ExecStartPre", &n);
	assert_int_equal(n, 1);
	assert_string_equal(lines[0].value, "/bin/c");
	assert_string_equal(lines[0].path, "/etc/a.service.d/b.conf");
	arena_free(arena);
}

static void words_have_quotes_and_escapes(void **state)
{
	static const struct {
		const char *line;
		int end;	  /* of the last call */
		const char *want; /* words, each in brackets */
	} rows[] = {
		{ "a b\tc", 0, "[a][b][c]" },
		{ "  \"a b\" 'c d'  ", 0, "[a b][c d]" },
		{ "--x='a b'c", 0, "[--x=a bc]" },
		{ "\"it's\" 'say \"x\"'", 0, "[it's][say \"x\"]" },
		{ "a\\x20b\\tc\\s\\101", 0, "[a b\tc A]" },
		{ "\"\" x", 0, "[][x]" },
		{ "a 'b", -EINVAL, "[a]" },
		{ "a \\q", -EINVAL, "[a]" },
		{ "a \\", -EINVAL, "[a]" },
		{ "a \\x0", -EINVAL, "[a]" },
		{ "", 0, "" },
	};
	char word[64], all[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *rest = rows[i].line;
		int got;

		all[0] = '\0';
		while ((got = systemd_word_next(&rest, word)) > 0)
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "[%s]", word);
		assert_int_equal(got, rows[i].end);
		assert_string_equal(all, rows[i].want);
	}
}

static void spans_and_booleans(void **state)
{
	static const struct {
		const char *text;
		int err;
		int64_t ms;
	} rows[] = {
		{ "5", 0, 5000 },
		{ "5s", 0, 5000 },
		{ "1min 30s", 0, 90000 },
		{ "1min30s", 0, 90000 },
		{ "100ms", 0, 100 },
		{ "1.5h", 0, 5400000 },
		{ "2 weeks", 0, 1209600000 },
		{ "0", 0, 0 },
		{ "", -EINVAL, 0 },
		{ "5 parsecs", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ NULL, -EINVAL, 0 },
		{ "99999999999y", -EINVAL, 0 },
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ns = 0;
		assert_int_equal(systemd_span_parse(rows[i].text, &ns), rows[i].err);
		assert_int_equal(ns / 1000000, rows[i].ms);
	}
	assert_int_equal(systemd_span_parse("infinity", &ns), 0);
	assert_int_equal(ns, SYSTEMD_INFINITY);
	assert_int_equal(systemd_bool("Yes"), EW_YES);
	assert_int_equal(systemd_bool("off"), EW_NO);
	assert_int_equal(systemd_bool("maybe"), EW_UNKNOWN);
	assert_int_equal(systemd_bool(NULL), EW_UNKNOWN);
}

/* Of a file, as NAME=VALUE in brackets; "?" behind a value that only a shell knows. */
static const char *file_text(struct arena *arena, const char *text, enum environment_syntax syntax)
{
	struct environment env = { .arena = arena };
	const char *all = "";

	environment_add_file(&env, text, strlen(text), syntax, "/etc/x");
	for (const struct env_var *var = env.first; var; var = var->next)
		all = arena_printf(arena, "%s[%s=%s%s]", all, var->name, var->value,
				   var->computed ? "?" : "");
	return all;
}

static void environment_files(void **state)
{
	static const struct {
		const char *text, *systemd, *shell;
	} rows[] = {
		{ "A=1\nB=2\n", "[A=1][B=2]", "[A=1][B=2]" },
		{ "A=1\nA=2\n", "[A=2]", "[A=2]" },
		{ "# x\n;A=1\n\n  B=2", "[B=2]", "[B=2]" },
		{ "A=a b  \n", "[A=a b]", "[A=a]" },
		{ "A=\"a b\" \nB='c d'\n", "[A=a b][B=c d]", "[A=a b][B=c d]" },
		{ "export A=1\n", "", "[A=1]" },
		{ "A=`cat /etc/mesos/zk`\n", "[A=`cat /etc/mesos/zk`]", "[A=`cat?]" },
		{ "A=\"$B\"\nC='$B'\n", "[A=$B][C=$B]", "[A=$B?][C=$B]" },
		{ "A=1; B=2\n", "[A=1; B=2]", "[A=1]" },
		{ "A=one\\\ntwo\n", "[A=onetwo]", "[A=onetwo]" },
		{ "A=\"x\\\"y\"\n", "[A=x\"y]", "[A=x\"y]" },
		{ "A=\"two\nlines\"\nB=1", "[A=two\nlines][B=1]", "[A=two\nlines][B=1]" },
		{ "MESOS_ATTRIBUTES=rack:r1;zone:z\n", "[MESOS_ATTRIBUTES=rack:r1;zone:z]",
		  "[MESOS_ATTRIBUTES=rack:r1]" },
		{ "MESOS_RESOURCES='[{\"name\": \"cpus\"}]'\n",
		  "[MESOS_RESOURCES=[{\"name\": \"cpus\"}]]",
		  "[MESOS_RESOURCES=[{\"name\": \"cpus\"}]]" },
		{ "2A=1\nnothing\n=1\nB=", "[B=]", "[B=]" },
		{ "A=\r\nB=1\r\n", "[A=][B=1]", "[A=][B=1]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();

		assert_string_equal(file_text(arena, rows[i].text, ENVIRONMENT_SYSTEMD),
				    rows[i].systemd);
		assert_string_equal(file_text(arena, rows[i].text, ENVIRONMENT_SHELL),
				    rows[i].shell);
		arena_free(arena);
	}
}

static const struct specifiers agent_one = { .unit = "agent@one.service" };

static void command_lines(void **state)
{
	static const struct {
		const char *line;
		int err;
		const char *want; /* program and arguments after the expansion, in brackets */
		bool ignores;
	} rows[] = {
		{ "/usr/sbin/mesos-slave --port=5051", 0, "[/usr/sbin/mesos-slave][--port=5051]",
		  false },
		{ "-/bin/a", 0, "[/bin/a]", true },
		{ "!!-/bin/a", 0, "[/bin/a]", true },
		{ "@/bin/sh agent -c x", 0, "[/bin/sh][-c][x]", false },
		{ "/bin/a $OPTS \"$OPTS\" ${OPTS} x$OPTS", 0,
		  "[/bin/a][--b=1][--c][--b=1][--c][--b=1 --c][x$OPTS]", false },
		{ ":/bin/a ${OPTS}", 0, "[/bin/a][${OPTS}]", false },
		{ "/bin/a $NONE ${NONE} $$x", 0, "[/bin/a][][$x]", false },
		{ "/bin/%p --i=%i %n 100%%", 0, "[/bin/agent][--i=one][agent@one.service][100%]",
		  false },
		{ "/bin/a \"unclosed", -EINVAL, "", false },
		{ "-", -EINVAL, "", true },
		{ "", -EINVAL, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct environment env = { .arena = arena };
		struct exec_line line;
		const char *all = "";

		environment_set(&env, "OPTS", "--b=1 --c", "x", false);
		assert_int_equal(exec_line_parse(arena, rows[i].line, &agent_one, &line),
				 rows[i].err);
		assert_int_equal(line.ignores_failure, rows[i].ignores);
		if (!rows[i].err) {
			assert_int_equal(exec_line_expand(arena, &env, &line), 0);
			all = arena_printf(arena, "[%s]", line.program);
			for (size_t at = 0; at < line.n; at++)
				all = arena_printf(arena, "%s[%s]", all, line.argv[at]);
			assert_false(line.unknown);
		}
		assert_string_equal(all, rows[i].want);
		arena_free(arena);
	}
}

static void a_specifier_that_is_not_known_is_told(void **state)
{
	struct arena *arena = arena_new();
	struct exec_line line;

	(void)state;
	assert_int_equal(exec_line_parse(arena, "/bin/a --host=%H", &agent_one, &line), 0);
	assert_true(line.unknown);
	assert_string_equal(line.argv[0], "--host=%H");
	arena_free(arena);
}

static void specifiers_of_the_name_and_the_host(void **state)
{
	static const struct specifiers host = {
		.unit = "mesos-agent@rack-1\\x2da.service",
		.hostname = "node7.example",
		.architecture = "x86-64",
		.kernel = "6.1.0",
		.machine_id = "00112233445566778899aabbccddeeff",
		.os_id = "debian",
		.os_variant = "",
	};
	static const struct {
		const char *text, *want;
		bool unknown;
	} rows[] = {
		{ "%n", "mesos-agent@rack-1\\x2da.service", false },
		{ "%N %p %P", "mesos-agent@rack-1\\x2da mesos-agent mesos/agent", false },
		{ "%i", "rack-1\\x2da", false },
		{ "%I %f", "rack/1-a /rack/1-a", false },
		{ "%j %J", "agent agent", false },
		{ "%H %l", "node7.example node7", false },
		{ "%a %v %m", "x86-64 6.1.0 00112233445566778899aabbccddeeff", false },
		{ "%o[%W]", "debian[]", false },
		{ "%E %t %S %C %L %T %V", "/etc /run /var/lib /var/cache /var/log /tmp /var/tmp",
		  false },
		{ "%u %U %g %G %h", "root 0 root 0 /root", false },
		{ "%d", "/run/credentials/mesos-agent@rack-1\\x2da.service", false },
		{ "100%% %", "100% %", false },
		{ "%k %-", "%k %-", false }, /* systemd knows none of them, and leaves them */
		{ "a%b", "a%b", true },
		{ "%q%H", "%qnode7.example", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		bool unknown = false;

		assert_string_equal(specifiers_expand(arena, &host, rows[i].text, &unknown),
				    rows[i].want);
		assert_int_equal(unknown, rows[i].unknown);
		arena_free(arena);
	}
}

/* The order in which systemd 252 takes drop-ins of one name; systemd-analyze verify shows it. */
static void directories_of_drop_ins(void **state)
{
	static const struct {
		const char *unit, *want;
	} rows[] = {
		{ "a.service", "a.service " },
		{ "mesos-agent.service", "mesos-agent.service mesos-.service " },
		{ "a-b--c.service", "a-b--c.service a-b--.service a-.service " },
		{ "mesos-agent@one.service",
		  "mesos-agent@one.service mesos-agent@.service mesos-.service mesos-@one.service "
		  "mesos-@.service " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct text_list names = { 0 };
		const char *all = "";

		unit_name_drop_ins(arena, rows[i].unit, &names);
		for (size_t at = 0; at < names.n; at++)
			all = arena_printf(arena, "%s%s ", all, names.v[at]);
		assert_string_equal(all, rows[i].want);
		arena_free(arena);
	}
}

static void variables_that_are_unset(void **state)
{
	struct arena *arena = arena_new();
	struct environment env = { .arena = arena };

	(void)state;
	environment_add_words(&env, "A=1 B=%i C=%H D=100%%", &agent_one, "x");
	environment_unset(&env, "A=2");
	assert_string_equal(environment_find(&env, "A")->value, "1");
	environment_unset(&env, "A=1");
	assert_null(environment_find(&env, "A"));
	assert_string_equal(environment_find(&env, "B")->value, "one");
	assert_true(environment_find(&env, "C")->computed);
	assert_string_equal(environment_find(&env, "D")->value, "100%");
	environment_unset(&env, "B");
	assert_null(environment_find(&env, "B"));
	arena_free(arena);
}

static void what_systemctl_shows(void **state)
{
	static const char answer[] =
		"Restart=always\nKillMode=process\nNeedDaemonReload=\n"
		"ExecStartPre={ path=/bin/a ; argv[]=/bin/a --x=1 y ; ignore_errors=yes ; "
		"start_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n"
		"ExecStartPre={ path=/bin/b ; argv[]=/bin/b ; ignore_errors=no }\n";
	struct arena *arena = arena_new();
	const char *rest = answer, *value;

	(void)state;
	assert_string_equal(show_output_value(arena, answer, "KillMode"), "process");
	assert_null(show_output_value(arena, answer, "Kill"));
	assert_null(show_output_value(arena, answer, "NeedDaemonReload"));
	value = show_output_next(arena, &rest, "ExecStartPre");
	assert_string_equal(show_output_command(arena, value), "-/bin/a --x=1 y");
	value = show_output_next(arena, &rest, "ExecStartPre");
	assert_string_equal(show_output_command(arena, value), "/bin/b");
	assert_null(show_output_next(arena, &rest, "ExecStartPre"));
	assert_null(show_output_command(arena, "yes"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_assignment_of_a_setting_counts),
		cmocka_unit_test(a_list_adds_up_and_an_empty_assignment_drops_it),
		cmocka_unit_test(words_have_quotes_and_escapes),
		cmocka_unit_test(spans_and_booleans),
		cmocka_unit_test(environment_files),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(a_specifier_that_is_not_known_is_told),
		cmocka_unit_test(specifiers_of_the_name_and_the_host),
		cmocka_unit_test(directories_of_drop_ins),
		cmocka_unit_test(variables_that_are_unset),
		cmocka_unit_test(what_systemctl_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
