/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/baseline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "base/safe_dir.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"
#include "record/baseline.h"
#include "show/format.h"
#include "show/json/json_report.h"

/* ---- saving ---- */

/* NULL: the report can be its agent's baseline; else the reason why not. */
static const char *unfit(const struct report *report)
{
	if (report->agent.pid <= 0)
		return "no agent listens";
	if (report->blind)
		return "sockets or processes could not all be read";
	if (!report->agent.serving)
		return "the agent has not finished its recovery";
	return NULL;
}

/*
 * The document with what the baseline name, of the same agent process, knows beyond it: after a
 * treatment clocks run, so executors that ended since then stay in the baseline. *merged is NULL
 * when there is nothing to add.
 */
static int merge(const struct report *report, const struct baseline_dir *dir, const char *name,
		 const char *document, char **merged, size_t *len, struct error *error)
{
	char *earlier = NULL;
	bool treated;
	int err = baseline_read(dir, name, &earlier);

	if (err == -ENOENT)
		return 0;
	treated = !err && baseline_is_treated(earlier);
	if (!err && (treated || report->verdicts[VERDICT_DISCONNECTED]))
		err = baseline_merge(document, earlier, treated, merged, len);
	free(earlier);
	/* A file that is no document is of no use to verify: it is replaced. */
	if (!err || err == -EINVAL)
		return 0;
	return error_set(error, err, NULL, "add the baseline '%s/%s' to this audit", dir->path,
			 name);
}

/* Merged with the baseline of before, and saved. */
static int state_replace(const struct baseline_dir *dir, const struct baseline_key *key,
			 const struct report *report, const char *document, size_t len,
			 struct error *error)
{
	char name[256], *merged = NULL;
	int err = baseline_name(key, name, sizeof(name));

	if (err)
		error_set(error, err, NULL, "name a baseline in '%s'", dir->path);
	else
		err = merge(report, dir, name, document, &merged, &len, error);
	if (!err)
		err = baseline_save(dir, name, merged ? merged : document, len, error);
	free(merged);
	return err;
}

/* In the state directory: a failure is a warning, since the report itself is not affected. */
static void state_save(const struct options *options, const struct session *session,
		       const struct report *report, const char *document, size_t len)
{
	const struct baseline_key key = { session_boot_id(session), options->port,
					  report->agent.start, report->agent.pid };
	struct error error = { 0 };
	/* Only the last part of the path is made: a mistyped one leaves no directories behind. */
	struct baseline_dir dir = { safe_dir_open(options->state_dir, 0700, "--state-dir", &error),
				    options->state_dir };

	if (dir.fd >= 0 && state_replace(&dir, &key, report, document, len, &error) == 0)
		baseline_files_prune(&dir, key.boot_id, key.port, now_wall() / NS_PER_S);
	if (dir.fd >= 0)
		close(dir.fd);
	if (error.code)
		log_warning_without(&error);
}

bool baseline_document_save(const struct options *options, const struct session *session,
			    const struct report *report, const char *document, size_t len)
{
	const char *reason = unfit(report);
	struct error error = { 0 };

	if (!reason)
		state_save(options, session, report, document, len);
	else if (!options->quiet && !options->baseline && !options->format->plugin)
		log_message("%s: this audit is not kept as a baseline for 'verify'", reason);
	if (!options->baseline ||
	    baseline_save(NULL, options->baseline, document, len, &error) == 0)
		return true;
	log_error(&error);
	return false;
}

bool baseline_report_save(const struct options *options, const struct session *session,
			  const struct report *report)
{
	size_t len;
	char *document = json_report_text(report, &len);
	bool saved = document && baseline_document_save(options, session, report, document, len);

	if (!document)
		log_message("save the baseline: out of memory");
	free(document);
	return saved;
}

bool baseline_treated_save(const struct options *options, const struct session *session,
			   const struct report *audit, const struct report *report)
{
	size_t len, merged_len = 0;
	char *before = json_report_text(audit, &len);
	char *after = json_report_text(report, &len);
	char *merged = NULL;
	bool saved = false;

	if (before && after && baseline_merge(after, before, true, &merged, &merged_len) == 0)
		saved = baseline_document_save(options, session, report, merged, merged_len);
	else
		log_message("save the baseline: out of memory");
	free(merged);
	free(after);
	free(before);
	return saved;
}

/* ---- choosing ---- */

static bool runs(const struct baseline_file *file)
{
	return file->agent_pid && proc_live_thread(file->agent_pid, file->agent_start) != 0;
}

/* NULL: there is none. Audits that were made while no agent listened are no candidates. */
static const struct baseline_file *choose(const struct baseline_files *files)
{
	const struct baseline_file *present = NULL;

	for (size_t i = 0; i < files->n; i++) {
		const struct baseline_file *file = &files->v[i];

		if (!file->agent_pid)
			continue;
		if (!runs(file))
			return file;
		present = present ? present : file;
	}
	return present;
}

static int chosen_load(const struct options *options, struct session *session,
		       const struct baseline_dir *dir, const char *name, struct error *error)
{
	struct fact_sink sink = session_sink(session);
	size_t n = 0;
	int err = baseline_load(dir, name, session_boot_id(session), now_mono(), &sink, &n, error);

	if (!err && !n && !options->quiet)
		log_message("the baseline '%s%s%s' lists no executors", dir ? dir->path : "",
			    dir ? "/" : "", name);
	return err;
}

static int none_found(const struct options *options, struct error *error)
{
	return error_set(error, -ENOENT,
			 "run 'execwatch audit' while the agent serves, before each restart; "
			 "--baseline FILE compares with a document of your own",
			 "find an audit of the agent on port %u before its restart, of this "
			 "boot, in '%s'",
			 options->port, options->state_dir);
}

int baseline_take(const struct options *options, struct session *session, struct error *error)
{
	struct baseline_dir dir = { .path = options->state_dir };
	struct baseline_files files = { 0 };
	const struct baseline_file *file;
	int err;

	if (options->baseline)
		return chosen_load(options, session, NULL, options->baseline, error);
	dir.fd = safe_dir_open(options->state_dir, 0, "--state-dir", error);
	if (dir.fd == -ENOENT)
		return none_found(options, error);
	if (dir.fd < 0)
		return dir.fd;
	err = baseline_files_list(&dir, session_boot_id(session), options->port, &files, error);
	file = err ? NULL : choose(&files);
	if (file)
		err = chosen_load(options, session, &dir, file->name, error);
	else if (!err)
		err = none_found(options, error);
	baseline_files_free(&files);
	close(dir.fd);
	return err;
}
