/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/screen/progress.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "show/term_text.h"
#include "show/textbuf.h"
#include "show/units.h"

#define SEPARATOR " · "

/* The first deadline of a live executor that has not passed. */
static int64_t next_deadline(const struct report *report)
{
	int64_t next = 0;

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *e = &report->executors[i];

		if (!e->ended && e->deadline >= report->generated && (!next || e->deadline < next))
			next = e->deadline;
	}
	return next;
}

static void lost_text(FILE *out, const struct report *report)
{
	size_t lost = 0;

	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (outcome_severity((enum outcome)i) == SEVERITY_CRITICAL)
			lost += report->outcomes[i];
	}
	if (lost)
		fprintf(out, SEPARATOR "%zu lost", lost);
}

static void line_text(FILE *out, const struct report *report)
{
	const struct report_agent *agent = &report->agent;
	size_t waiting = report->outcomes[OUTCOME_WAITING];
	int64_t next = next_deadline(report);
	char until[UNITS_MAX];

	if (waiting)
		fprintf(out, "waiting for %zu of %zu", waiting, report->n_executors);
	else
		fprintf(out, "%zu/%zu done", report->n_executors, report->n_executors);
	if (report->ending)
		fprintf(out, SEPARATOR "%zu ending", report->ending);
	lost_text(out, report);
	if (next)
		fprintf(out, SEPARATOR "next deadline %s",
			units_until(next, report->generated, until));
	if (agent->pid <= 0)
		fputs(SEPARATOR "no agent", out);
	else if (agent->serving)
		fputs(SEPARATOR "agent up", out);
	else if (strcmp(agent->api, "recovering") == 0 || strcmp(agent->api, "not asked") == 0)
		fprintf(out, SEPARATOR "agent %s", agent->api);
	else
		fputs(SEPARATOR "agent's API does not answer", out);
	if (report->command && !report->command_ended)
		fputs(SEPARATOR "command running", out);
}

static int line_write(FILE *out, const struct report *report, const char *before, int width,
		      const char *after)
{
	struct textbuf text, line;
	char *words;
	int err = textbuf_begin(&text);

	if (err < 0)
		return err;
	line_text(text.text, report);
	words = textbuf_end(&text);
	err = words ? textbuf_begin(&line) : -ENOMEM;
	if (err == 0) {
		fputs(before, line.text);
		term_text_put_last(line.text, words, width);
		fputs(after, line.text);
		err = textbuf_end_to(&line, out);
	}
	free(words);
	return err;
}

int progress_draw(FILE *out, const struct report *report, int width)
{
	/* The last column stays free: terminals differ in where the cursor goes from there. */
	return line_write(out, report, "\r", width - 1, "\x1b[K");
}

int progress_write(FILE *out, const struct report *report)
{
	return line_write(out, report, "", INT_MAX, "\n");
}

int progress_clear(FILE *out)
{
	static const char text[] = "\r\x1b[K";

	return textbuf_write(out, text, strlen(text));
}
