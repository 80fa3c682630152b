/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/kept_report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "base/safe_dir.h"
#include "base/walltime.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "show/format.h"
#include "show/json/json_report.h"
#include "show/nagios.h"
#include "show/textbuf.h"

/* ---- saving ---- */

/* "20261124T065026Z": sorts by time, and is a name that no shell needs quoted. */
static void time_name(char *to)
{
	char text[WALLTIME_TEXT_MAX];

	for (const char *c = walltime_text(now_wall(), text); *c && *c != '.'; c++)
		if (*c != '-' && *c != ':')
			*to++ = *c;
	memcpy(to, "Z", 2);
}

void kept_report_begin(struct kept_report *kept, const struct options *options)
{
	char time[WALLTIME_TEXT_MAX];

	*kept = (struct kept_report){ .options = options };
	time_name(time);
	snprintf(kept->name, sizeof(kept->name), "run-%s-%u", time, options->port);
	if (getenv("SSH_CONNECTION") && !options->dry_run)
		log_message("over ssh: if the connection is lost, the command and the watching go "
			    "on; the report is kept in '%s/%s.txt' and .json",
			    options->state_dir, kept->name);
}

void kept_report_hung_up(void *ctx)
{
	struct kept_report *kept = ctx;

	kept->hung_up = true;
	log_to_system();
	if (kept->command && *kept->command)
		log_message("the terminal is gone; the command (pid %d) and the watching go on; "
			    "the report will be in '%s/%s.txt' and .json",
			    *kept->command, kept->options->state_dir, kept->name);
	else
		log_message("the terminal is gone; the watching goes on; the report will be in "
			    "'%s/%s.txt' and .json",
			    kept->options->state_dir, kept->name);
}

static int file_save(int dir, const struct kept_report *kept, const char *ending, const char *text,
		     size_t len, struct error *error)
{
	char name[sizeof(kept->name) + 8];
	int err;

	snprintf(name, sizeof(name), "%s%s", kept->name, ending);
	err = text ? safe_file_replace(dir, name, text, len) : -ENOMEM;
	if (!err)
		return 0;
	return error_set(error, err, "free disk space, or give another directory with --state-dir",
			 "keep the report as '%s/%s'", kept->options->state_dir, name);
}

static char *table_text(const struct report *report, size_t *len)
{
	const struct layout layout = { .width = 80 };
	struct textbuf out;

	if (textbuf_begin(&out) < 0)
		return NULL;
	if (formatters[0].report(out.text, report, &layout) < 0) {
		free(textbuf_end(&out));
		return NULL;
	}
	return textbuf_end(&out) ? (*len = out.len, out.buf) : NULL;
}

static int save(const struct kept_report *kept, const struct report *report, struct error *error)
{
	size_t json_len = 0, table_len = 0;
	char *json = json_report_text(report, &json_len), *table = table_text(report, &table_len);
	int dir = safe_dir_open(kept->options->state_dir, 0700, "--state-dir", error);
	int err = dir < 0 ? dir : file_save(dir, kept, ".json", json, json_len, error);

	if (!err)
		err = file_save(dir, kept, ".txt", table, table_len, error);
	if (dir >= 0)
		close(dir);
	free(json);
	free(table);
	return err;
}

/* One line, and where the rest is. */
static void summary_log(const struct kept_report *kept, const struct report *report)
{
	struct textbuf line;

	if (textbuf_begin(&line) < 0)
		return;
	(void)nagios_write(line.text, report);
	if (textbuf_end(&line)) {
		line.buf[strcspn(line.buf, "\n")] = '\0';
		log_message("%s (exit code %d; '%s/%s.txt')", line.buf, report->exit_code,
			    kept->options->state_dir, kept->name);
		free(line.buf);
	}
}

int kept_report_end(struct kept_report *kept, const struct report *report)
{
	struct error error = { 0 };
	int err = report ? save(kept, report, &error) : 0, code;

	if (err)
		log_warning_without(&error);
	if (!kept->hung_up)
		code = output_report(kept->options, report);
	else
		code = report && !err ? report->exit_code : EXIT_UNKNOWN;
	if (report && (kept->hung_up || code != report->exit_code)) {
		log_to_system();
		summary_log(kept, report);
	}
	return code;
}

/* ---- showing ---- */

/* The newest: names sort by time. */
static bool newest_find(int dir, uint16_t port, char *newest, size_t size)
{
	DIR *stream = fdopendir(dup(dir));
	char ending[16];
	struct dirent *entry;

	*newest = '\0';
	snprintf(ending, sizeof(ending), "-%u.json", port);
	while (stream && (entry = readdir(stream))) {
		const char *name = entry->d_name;
		size_t len = strlen(name), end = strlen(ending);

		if (strncmp(name, "run-", 4) == 0 && len > end && len < size &&
		    strcmp(name + len - end, ending) == 0 && strcmp(name, newest) > 0)
			memcpy(newest, name, len + 1);
	}
	if (stream)
		closedir(stream);
	return *newest;
}

static int copy_out(int file, const char *shown)
{
	char buf[1 << 16];
	ssize_t n;

	while ((n = read(file, buf, sizeof(buf))) > 0)
		if (textbuf_write(stdout, buf, (size_t)n) < 0)
			return EXIT_UNKNOWN;
	if (n == 0)
		return EXIT_WELL;
	log_message("read '%s': %s", shown, strerror(errno));
	return EXIT_UNKNOWN;
}

static int exit_code_read(int dir, const char *name)
{
	int file = safe_file_open(dir, name, O_RDONLY, 0);
	json_t *document = file < 0 ? NULL : json_loadfd(file, 0, NULL);
	const json_t *code = json_object_get(document, "exit_code");
	int ret = json_is_integer(code) ? (int)json_integer_value(code) : EXIT_UNKNOWN;

	json_decref(document);
	if (file >= 0)
		close(file);
	return ret;
}

int kept_report_show(const struct options *options)
{
	struct error error = { 0 };
	char name[64];
	int dir = safe_dir_open(options->state_dir, 0, "--state-dir", &error);
	int file, code = EXIT_UNKNOWN, exit_code;

	if (dir < 0 && dir != -ENOENT) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	if (dir < 0 || !newest_find(dir, options->port, name, sizeof(name))) {
		log_message("'report' needs a recording: execwatch report --replay FILE; no report "
			    "of a window on port %u is kept in '%s'",
			    options->port, options->state_dir);
		code = EXIT_WRONG_USE;
		goto out;
	}
	exit_code = exit_code_read(dir, name);
	if (options->format->text)
		memcpy(strrchr(name, '.'), ".txt", 5);
	file = safe_file_open(dir, name, O_RDONLY, 0);
	if (file < 0) {
		log_message("read '%s/%s': %s", options->state_dir, name, strerror(-file));
		goto out;
	}
	code = copy_out(file, name) == EXIT_WELL ? exit_code : EXIT_UNKNOWN;
	close(file);
out:
	if (dir >= 0)
		close(dir);
	return code;
}
