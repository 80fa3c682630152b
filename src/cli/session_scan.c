/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a session reads when it is asked to: scans, single looks, the agent's API. */
#include "cli/session_private.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/agent_ports.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "cli/options.h"
#include "cli/time_bound.h"
#include "observe/agent/api.h"
#include "observe/agent/credential.h"
#include "observe/agent/post_mortem.h"
#include "observe/bpf/scan_once.h"
#include "observe/event_source.h"
#include "observe/link_entries.h"
#include "observe/scan.h"
#include "observe/socket_look.h"

static int ports_set(void *ctx, const struct agent_ports *ports)
{
	struct session *s = ctx;

	if (s->events)
		return event_source_set_ports(s->events, ports);
	ew_bpf_scan_once_set_ports(s->bpf_scan, ports);
	return 0;
}

/* An earlier watch of this port has learnt some. */
static void ports_resume(struct session *s, struct agent_ports *ports)
{
	struct fact_sink sink = session_sink(s);
	struct fact fact = { .type = FACT_PORT, .mono = now_mono() };

	if (s->events)
		event_source_ports(s->events, ports);
	for (int i = 1; i < AGENT_PORTS_MAX; i++) {
		fact.port.port = ports->v[i];
		fact.port.source = "watch";
		if (ports->v[i])
			fact_emit(&sink, &fact);
	}
}

int session_scan_open(struct session *s, struct error *error)
{
	struct agent_ports known = { { 0 } };
	struct scan_options scan = {
		.port = s->options->port,
		.known = &known,
		.earlier = s->options->earlier,
		.set_ports = ports_set,
		.set_ports_ctx = s,
		.work_dir = s->options->work_dir,
		.agent_url = s->options->agent_url,
		.ca_file = s->options->ca_file,
		.master_url = s->options->master_url,
		.netns = s->netns_fd == NETNS_OWN ? NULL : &s->netns_fd,
		.elsewhere = s->options->agent_url && !s->options->netns ? EW_YES : EW_NO,
		.until = time_bound_scans(s->options->bound),
		.next = { .version = s->options->next_version,
			  .unit = s->options->next_unit,
			  .env = s->options->next_env,
			  .n_env = s->options->n_next_env },
	};
	char *authorization = NULL;
	int err = 0;

	ports_resume(s, &known);
	if (s->bpf_scan) {
		scan.bpf_scan = ew_bpf_scan_once;
		scan.bpf_scan_ctx = s->bpf_scan;
	} else if (event_source_is_bpf(s->events)) {
		scan.bpf_scan = event_source_scan;
		scan.bpf_scan_ctx = s->events;
	}
	if (s->options->credential_file)
		err = credential_read(s->options->credential_file, &authorization, error);
	scan.authorization = authorization;
	if (!err)
		err = scan_new(&scan, &s->scan, error);
	free(authorization);
	return err;
}

void session_scan(struct session *s, uint32_t scope)
{
	struct fact_sink sink = session_sink(s);

	scan_begin(s->scan, scope, &sink);
	do {
		time_bound_step(s->options->bound, "%s", scan_object(s->scan));
		if (s->events) /* a large node takes seconds, in which the rings would fill */
			event_source_flush_if_large(s->events, &sink);
	} while (scan_step(s->scan));
	session_recording_flush(s);
}

int session_look(struct session *s, const int32_t *pids, size_t n, struct error *error)
{
	struct fact_sink sink = session_sink(s);

	return socket_look(s->netns_fd, pids, n, scan_ports(s->scan), &sink, error);
}

int session_entries(struct session *s, struct link_entries *links, size_t n, struct error *error)
{
	return link_entries_look(s->netns_fd, netns_inode(s->netns_fd), links, n, error);
}

int session_agent_listens(struct session *s)
{
	struct error error;

	return socket_look_listener(s->netns_fd, netns_inode(s->netns_fd), s->options->port,
				    &error);
}

static bool wants_post_mortem(const struct report_executor *e)
{
	return e->outcome == OUTCOME_LOST || e->outcome == OUTCOME_TASK_FAILED ||
	       (e->outcome == OUTCOME_KILLED && !e->killer) ||
	       (e->outcome == OUTCOME_UNKNOWN && e->ended);
}

void session_post_mortem(struct session *s, const struct report *report)
{
	struct fact_sink sink = session_sink(s);
	struct post_mortem_run *runs = calloc(report->n_executors + 1, sizeof(*runs));
	size_t n = 0;

	for (size_t i = 0; runs && i < report->n_executors; i++) {
		const struct report_executor *e = &report->executors[i];

		if (wants_post_mortem(e))
			runs[n++] = (struct post_mortem_run){ e->framework_id, e->executor_id,
							      e->container_id };
	}
	if (n)
		scan_post_mortem(s->scan, runs, n, &sink);
	free(runs);
	session_recording_flush(s);
}

void session_agent_log(struct session *s, int32_t pid, uint64_t start)
{
	struct fact_sink sink = session_sink(s);

	scan_agent_log(s->scan, pid, start, &sink);
	session_recording_flush(s);
}

static void confirm(struct session *s, struct event_base *base)
{
	struct fact_sink sink = session_sink(s);
	struct api_options how;
	struct error error = { 0 };

	/* No agent, or no such URL: the scan has said so. */
	if (scan_api_options(s->scan, &how, &error) < 0)
		return;
	if (api_new(base, &how, &s->api, &error) == 0)
		api_ask(s->api, scan_api_answer_nr(s->scan), &sink);
	if (how.nsfd >= 0)
		close(how.nsfd);
}

void session_ask(struct session *s, struct event_base *base)
{
	if (base && api_is_asking(s->api))
		return;
	api_free(s->api);
	s->api = NULL;
	if (base)
		confirm(s, base);
}
