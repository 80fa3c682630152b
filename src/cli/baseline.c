/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/baseline.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"
#include "record/baseline.h"
#include "show/json/json_report.h"

bool baseline_document_save(const struct options *options, const struct session *session,
			    const char *document, size_t len)
{
	struct error error = { 0 };
	char path[4096];

	/* Only the last part is ours to make: a mistyped path leaves no directories behind. */
	if (mkdir(options->state_dir, 0700) < 0 && errno != EEXIST)
		error_set(&error, -errno, "choose a place with --state-dir", "make '%s'",
			  options->state_dir);
	if (error.code)
		log_warning_without(&error);
	else if (baseline_path(options->state_dir, session_boot_id(session), options->port, path,
			       sizeof(path)) < 0 ||
		 baseline_save(path, document, len, &error) < 0)
		log_warning_without(&error);
	if (!options->baseline || baseline_save(options->baseline, document, len, &error) == 0)
		return true;
	log_error(&error);
	return false;
}

bool baseline_report_save(const struct options *options, const struct session *session,
			  const struct report *report)
{
	size_t len;
	char *document = json_report_text(report, &len);
	bool saved = document && baseline_document_save(options, session, document, len);

	if (!document)
		log_message("save the baseline: out of memory");
	free(document);
	return saved;
}
