/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Live events: the observers of a session. */
#include "cli/session_private.h"

#include <errno.h>

#include "base/error.h"
#include "cli/log.h"
#include "cli/options.h"
#include "model/verdict_table.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/scan_once.h"
#include "observe/event_source.h"

/* Whether the BPF programs outlive this process: if it is killed, or (--keep) in any case. */
static bool survives(const struct session *s)
{
	return s->options->verb->watches || s->options->keep || s->options->daemon;
}

/*
 * A watch that is killed or kept goes on in the kernel, and the next one of the same port picks up
 * what was observed. One at a time: a second watch uses programs of its own, which are not pinned.
 * Nothing is said of that, nor of a caller without the privilege; a directory that cannot be
 * trusted is named.
 */
static void pins_choose(struct session *s, struct ew_bpf_options *bpf)
{
	struct error error = { 0 };
	int err;

	if (!survives(s))
		return;
	err = watch_pins_open(&s->pins, s->options->run_dir, s->options->port, &error);
	if (!err) {
		bpf->pins = s->pins.path;
		bpf->pins_name = s->pins.name;
	} else if (err == -EPERM || err == -ELOOP || err == -ENOTDIR) {
		log_warning_without(&error);
	}
}

/* Without BPF fewer events are observed; their absence is no evidence, so an audit is possible. */
int session_events_open(struct session *s, struct error *error)
{
	struct ew_bpf_options bpf = { .agent_port = s->options->port, .keep = s->options->keep };
	bool no_bpf = s->options->no_bpf;
	struct fact_sink sink = session_sink(s);
	struct error without;
	int err;

	/* A verb that does not watch scans once and needs no hooks. */
	if (!no_bpf && !survives(s) &&
	    ew_bpf_scan_once_open(s->options->port, &sink, &s->bpf_scan) == 0)
		return 0;
	if (!no_bpf)
		pins_choose(s, &bpf);
	err = event_source_open(no_bpf ? NULL : &bpf, s->options->port, no_bpf ? "--no-bpf" : "",
				&sink, &s->events, &without, error);
	if (err)
		return err;
	if (without.code)
		log_warning_without(&without);
	if (event_source_resumed(s->events))
		log_message("resumed the observers of an earlier execwatch");
	return 0;
}

void session_poll_throttled(struct session *s)
{
	if (s->events)
		event_source_poll_throttled(s->events);
}

void session_follow(struct session *s, const struct report *report)
{
	struct error error = { 0 }, other;

	if (!s->events)
		return;
	if (report->agent.pid)
		event_source_follow(s->events, report->agent.pid, report->agent.start, true,
				    &error);
	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *e = &report->executors[i];

		if (e->pid && verdict_is_of_agent(e->verdict))
			event_source_follow(s->events, e->pid, e->start, false,
					    error.code ? &other : &error);
	}
	if (error.code)
		log_warning_without(&error); /* the reason is the same for all */
}

int session_fd(const struct session *session)
{
	return session->events ? event_source_fd(session->events) : -1;
}

bool session_sees_connections(const struct session *session)
{
	return session->events && event_source_is_bpf(session->events);
}

void session_dispatch(struct session *s)
{
	struct fact_sink sink = session_sink(s);

	if (s->events)
		event_source_dispatch(s->events, &sink);
	session_recording_flush(s);
}

bool session_lost(struct session *s)
{
	struct fact_sink sink = session_sink(s);

	return s->events && event_source_counters(s->events, false, &sink);
}
