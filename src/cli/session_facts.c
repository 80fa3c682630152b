/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the facts of a session go. */
#include "cli/session_private.h"

#include "base/error.h"
#include "cli/log.h"
#include "record/recording.h"

static void tee_emit(void *ctx, const struct fact *fact)
{
	struct session *s = ctx;

	if (s->to_recording.emit)
		fact_emit(&s->to_recording, fact);
	fact_emit(&s->to_model, fact);
	if (s->listener.emit)
		fact_emit(&s->listener, fact);
}

struct fact_sink session_sink(struct session *session)
{
	return (struct fact_sink){ tee_emit, session };
}

void session_listen(struct session *session, struct fact_sink listener)
{
	session->listener = listener;
}

struct fact_sink session_listener(const struct session *session)
{
	return session->listener;
}

static void recording_failed(struct session *s, const struct error *error)
{
	s->record_failed = true;
	log_error(error);
	log_message("the recording ends here; watching goes on");
}

void session_recording_flush(struct session *s)
{
	struct error error = { 0 };

	if (s->recording && recording_flush(s->recording, &error) < 0)
		recording_failed(s, &error);
}
