/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/nagios.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/summary.h"
#include "show/textbuf.h"

static const char *state_name(int exit_code)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	return names[exit_code < 0 || exit_code > 3 ? 3 : exit_code];
}

/* The state stands before the summary already. */
static void sentence_write(FILE *out, const struct report *report)
{
	static const char unknown[] = "UNKNOWN: ";
	struct textbuf summary;
	char *text;

	if (textbuf_begin(&summary) < 0)
		return;
	summary_write(summary.text, report);
	text = textbuf_end(&summary);
	if (text)
		fputs(text + (strncmp(text, unknown, sizeof(unknown) - 1) == 0 ? sizeof(unknown) - 1
									       : 0),
		      out);
	free(text);
}

static void line_write(FILE *out, const struct report *report)
{
	fprintf(out, "EXECWATCH %s - ", state_name(report->exit_code));
	sentence_write(out, report);
	fprintf(out, " | executors=%zu", report->n_executors);
	if (report_has_outcomes(report)) {
		for (int i = 1; i <= OUTCOME_COUNT; i++)
			fprintf(out, " %s=%zu", outcome_name((enum outcome)(i % OUTCOME_COUNT)),
				report->outcomes[i % OUTCOME_COUNT]);
	} else {
		for (int i = 1; i <= VERDICT_COUNT; i++)
			fprintf(out, " %s=%zu", verdict_name((enum verdict)(i % VERDICT_COUNT)),
				report->verdicts[i % VERDICT_COUNT]);
	}
	fprintf(out, " events_lost=%" PRIu64 "\n", report->events_lost);
}

int nagios_write(FILE *out, const struct report *report)
{
	struct textbuf line;
	int err = textbuf_begin(&line);

	if (err < 0)
		return err;
	line_write(line.text, report);
	return textbuf_end_to(&line, out);
}
