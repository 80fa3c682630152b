/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/session_private.h"

#include <errno.h>
#include <stdio.h>

#include "cli/log.h"
#include "cli/options.h"
#include "record/recording.h"

/* The findings that were ignored then, and those that are now. */
static void replay_session(const struct session *s, const struct fact *fact)
{
	struct fact both = *fact;
	char ignored[2 * sizeof(s->options->ignored)];

	snprintf(ignored, sizeof(ignored), "%s,%s",
		 fact->session.ignored ? fact->session.ignored : "", s->options->ignored);
	both.session.ignored = ignored;
	fact_emit(&s->to_model, &both);
}

static void replay_emit(void *ctx, const struct fact *fact)
{
	struct session *s = ctx;

	if (s->judged && s->first_only)
		return;
	if (fact->type == FACT_SESSION)
		replay_session(s, fact);
	else
		fact_emit(&s->to_model, fact);
	s->judged |= fact->type == FACT_NOW;
	s->replayed = fact->mono > s->replayed ? fact->mono : s->replayed;
	if (fact->type == FACT_NOW)
		s->replayed_now = fact->now;
	if (fact->type == FACT_SESSION)
		snprintf(s->verb, sizeof(s->verb), "%s", fact->session.verb);
	if (s->listener.emit)
		fact_emit(&s->listener, fact);
}

/* Tells the model that facts are missing. */
static void replay_incomplete(struct session *s)
{
	struct fact fact = { .type = FACT_NOW, .mono = s->replayed, .now = s->replayed_now };

	fact.now.incomplete = true;
	fact_emit(&s->to_model, &fact);
	log_message("recording '%s' is not complete: its writer was killed, or lines are missing",
		    s->options->replay);
}

int session_replay(const struct options *options, bool first_only, struct session **ret,
		   struct error *error)
{
	struct session *s = session_new(options, error);
	struct fact_sink sink = { replay_emit, s };
	struct recording_counts counts;
	int err;

	if (!s)
		return -ENOMEM;
	s->first_only = first_only;
	err = recording_replay(options->replay, &sink, &counts, error);
	if (err)
		goto out;
	if (counts.cut)
		log_message("recording '%s' ends in the middle of a line: its writer was killed; "
			    "judged by what is there",
			    options->replay);
	if (counts.incomplete)
		replay_incomplete(s);
	if (counts.later_types || counts.later_fields)
		log_message(
			"recording '%s' is of a later version: %zu facts and %zu fields are not "
			"known here and were left out",
			options->replay, counts.later_types, counts.later_fields);
	*ret = s;
	return 0;
out:
	session_close(s);
	return err;
}
