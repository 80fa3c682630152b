/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "base/agent_ports.h"
#include "base/emit.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
#include "base/walltime.h"
#include "cli/child.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/time_bound.h"
#include "cli/capabilities.h"
#include "cli/watch_pins.h"
#include "base/error.h"
#include "observe/agent/api.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/scan_once.h"
#include "observe/agent/credential.h"
#include "observe/event_source.h"
#include "observe/agent/post_mortem.h"
#include "observe/link_entries.h"
#include "observe/scan.h"
#include "observe/socket_look.h"
#include "record/recording.h"

struct session {
	int64_t replayed; /* time of the latest fact of a replay, mono ns */
	struct fact_now replayed_now;
	const struct options *options;
	struct model *model;
	struct recording *recording;
	struct fact_sink to_recording;
	struct fact_sink to_model;
	struct fact_sink listener;
	struct event_source *live; /* NULL in a replay, and where one scan is enough */
	struct ew_bpf_scan_once *bpf_scan;
	struct watch_pins pins;
	struct scan *scan;
	int netns_fd;	 /* of --netns; NETNS_OWN: not given */
	struct api *api; /* the last question to the agent */
	bool asking;	 /* it is not answered yet */
	bool record_failed;
	bool first_only; /* replay: stop at the first judgement */
	bool judged;
	char boot_id[64];
	char verb[16]; /* of the recorded run */
};

void session_poll_throttled(struct session *s)
{
	if (s->live)
		event_source_poll_throttled(s->live);
}

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

uint16_t session_port(const struct session *session)
{
	return session->options->port;
}

int session_netns(const struct session *session)
{
	return session->netns_fd;
}

static void session_fact_emit(struct session *s)
{
	struct utsname host = { 0 };
	int64_t mono = now_mono();
	char *command;
	struct fact_sink sink = session_sink(s);
	struct fact fact = { .type = FACT_SESSION,
			     .mono = mono,
			     .session = {
				     .tool = EW_VERSION,
				     .verb = s->options->verb->name,
				     .boot_id = s->boot_id,
				     .agent_port = s->options->port,
				     .wall_offset = now_wall() - mono,
				     .master_timeout = s->options->master_timeout,
				     .netns = netns_inode(s->netns_fd),
				     .elsewhere = s->options->agent_url && !s->options->netns
							  ? EW_YES
							  : EW_NO,
				     .work_dir_given = s->options->work_dir != NULL,
				     .ignored = s->options->ignored,
				     .horizon = s->options->horizon,
				     .restart_wanted = s->options->verb->guards,
			     } };

	uname(&host);
	fact.session.host = host.nodename;
	fact.session.kernel = host.release;
	command = s->options->command ? child_text(s->options->command) : NULL;
	fact.session.command = command;
	fact_emit(&sink, &fact);
	free(command);
}

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
static int live_open(struct session *s, struct error *error)
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
				&sink, &s->live, &without, error);
	if (err)
		return err;
	if (without.code)
		log_warning_without(&without);
	if (event_source_resumed(s->live))
		log_message("resumed the observers of an earlier execwatch");
	return 0;
}

static struct session *session_new(const struct options *options, struct error *error)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s)
		s->model = model_new();
	if (!s || !s->model) {
		free(s);
		error_set(error, -ENOMEM, NULL, "begin");
		return NULL;
	}
	s->options = options;
	s->pins = watch_pins_none();
	s->netns_fd = NETNS_OWN;
	s->to_model = model_sink(s->model);
	return s;
}

/* What execwatch itself did before to the executors of this boot. */
static void acts_emit(struct session *s)
{
	struct fact_sink sink = session_sink(s);
	struct error error = { 0 };

	if (audit_log_read(s->options->state_dir, walltime_offset(), &sink, &error) < 0)
		emit_unread(&sink, 0, 0, error.code, "the audit log in %s", s->options->state_dir);
}

static int ports_set(void *ctx, const struct agent_ports *ports)
{
	struct session *s = ctx;

	if (s->live)
		return event_source_set_ports(s->live, ports);
	ew_bpf_scan_once_set_ports(s->bpf_scan, ports);
	return 0;
}

/* An earlier watch of this port has learnt some. */
static void ports_resume(struct session *s, struct agent_ports *ports)
{
	struct fact_sink sink = session_sink(s);
	struct fact fact = { .type = FACT_PORT, .mono = now_mono() };

	if (s->live)
		event_source_ports(s->live, ports);
	for (int i = 1; i < AGENT_PORTS_MAX; i++) {
		fact.port.port = ports->v[i];
		fact.port.source = "watch";
		if (ports->v[i])
			fact_emit(&sink, &fact);
	}
}

static int scan_open(struct session *s, struct error *error)
{
	struct agent_ports known = { { 0 } };
	struct scan_options scan = {
		.port = s->options->port,
		.known = &known,
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
	} else if (event_source_is_bpf(s->live)) {
		scan.bpf_scan = event_source_scan;
		scan.bpf_scan_ctx = s->live;
	}
	if (s->options->credential_file)
		err = credential_read(s->options->credential_file, &authorization, error);
	scan.authorization = authorization;
	if (!err)
		err = scan_new(&scan, &s->scan, error);
	free(authorization);
	return err;
}

/* --netns: a process of the namespace, or a file that refers to it. */
static int netns_enter(struct session *s, struct error *error)
{
	const char *name = s->options->netns;
	uint64_t inode;
	char *end;
	long pid;

	if (!name)
		return 0;
	pid = strtol(name, &end, 10);
	s->netns_fd = !*end && pid > 0 && pid <= INT32_MAX ? netns_open_pid((pid_t)pid, &inode)
							   : netns_open_path(name, &inode);
	if (s->netns_fd >= 0)
		return 0;
	return error_set(error, s->netns_fd,
			 s->netns_fd == -EACCES || s->netns_fd == -EPERM
				 ? "run as root"
				 : "--netns takes the pid of a process in it, or a path such as "
				   "/run/netns/NAME",
			 "open the network namespace '%s'", name);
}

int session_open(const struct options *options, struct session **ret, struct error *error)
{
	struct session *s = session_new(options, error);
	int err;

	if (!s)
		return -ENOMEM;
	if (options->record) {
		time_bound_step(options->bound, "the recording '%s'", options->record);
		err = recording_create(options->record, EW_VERSION, &s->recording, error);
		if (err)
			goto out;
		s->to_recording = recording_sink(s->recording);
	}
	proc_boot_id(s->boot_id, sizeof(s->boot_id));
	time_bound_step(options->bound, "the network namespace");
	err = netns_enter(s, error);
	if (err)
		goto out;
	session_fact_emit(s);
	time_bound_step(options->bound, "the audit log in '%s'", options->state_dir);
	acts_emit(s);
	time_bound_step(options->bound, "its observers");
	err = live_open(s, error);
	if (!err)
		err = scan_open(s, error);
	if (err)
		goto out;
	capabilities_drop(s->options->verb->guards);
	*ret = s;
	return 0;
out:
	session_close(s);
	return err;
}

/* ---- replay ---- */

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

static void recording_failed(struct session *s, const struct error *error)
{
	s->record_failed = true;
	log_error(error);
	log_message("the recording ends here; watching goes on");
}

/* What became of --keep. */
static void tell_kept(const struct session *s)
{
	if (s->live && event_source_kept(s->live))
		log_message(
			"the observers stay in the kernel: the next audit --keep, watch, verify or "
			"run of port %u takes them over; 'execwatch doctor --clean' unloads them",
			s->options->port);
	else
		log_message(
			"--keep: no observers are left in the kernel; 'execwatch doctor' says what "
			"they need");
}

bool session_close(struct session *s)
{
	struct error error = { 0 };
	bool whole;

	if (!s)
		return true;
	if (s->options->keep && s->scan)
		tell_kept(s);
	scan_free(s->scan);
	if (s->netns_fd >= 0)
		close(s->netns_fd);
	ew_bpf_scan_once_free(s->bpf_scan);
	event_source_free(s->live);
	watch_pins_close(&s->pins, s->options->run_dir, s->options->port, s->options->keep);
	if (recording_close(s->recording, &error) < 0) {
		s->record_failed = true;
		log_error(&error);
	}
	model_free(s->model);
	whole = !s->record_failed;
	free(s);
	return whole;
}

int session_end(struct session *session, int code)
{
	return session_close(session) ? code : EXIT_UNKNOWN;
}

static void recording_keep(struct session *s)
{
	struct error error = { 0 };

	if (s->recording && recording_flush(s->recording, &error) < 0)
		recording_failed(s, &error);
}

void session_scan(struct session *s, uint32_t scope)
{
	struct fact_sink sink = session_sink(s);

	scan_begin(s->scan, scope, &sink);
	do {
		time_bound_step(s->options->bound, "%s", scan_object(s->scan));
		if (s->live) /* a large node takes seconds, in which the rings would fill */
			event_source_flush_if_large(s->live, &sink);
	} while (scan_step(s->scan));
	recording_keep(s);
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
	recording_keep(s);
}

void session_agent_log(struct session *s, int32_t pid, uint64_t start)
{
	struct fact_sink sink = session_sink(s);

	scan_agent_log(s->scan, pid, start, &sink);
	recording_keep(s);
}

static void answered(void *ctx)
{
	struct session *s = ctx;

	s->asking = false;
	recording_keep(s);
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
		s->asking = api_ask(s->api, scan_api_answer_nr(s->scan), &sink, answered, s) == 0;
	if (how.nsfd >= 0)
		close(how.nsfd);
}

void session_ask(struct session *s, struct event_base *base)
{
	if (base && s->asking)
		return;
	api_free(s->api);
	s->api = NULL;
	s->asking = false;
	if (base)
		confirm(s, base);
}

void session_follow(struct session *s, const struct report *report)
{
	struct error error = { 0 }, other;

	if (!s->live)
		return;
	if (report->agent.pid)
		event_source_follow(s->live, report->agent.pid, report->agent.start, true, &error);
	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *e = &report->executors[i];

		if (e->pid && e->verdict != VERDICT_FOREIGN)
			event_source_follow(s->live, e->pid, e->start, false,
					    error.code ? &other : &error);
	}
	if (error.code)
		log_warning_without(&error); /* the reason is the same for all */
}

int session_fd(const struct session *session)
{
	return session->live ? event_source_fd(session->live) : -1;
}

bool session_sees_connections(const struct session *session)
{
	return session->live && event_source_is_bpf(session->live);
}

void session_dispatch(struct session *s)
{
	struct fact_sink sink = session_sink(s);

	if (s->live)
		event_source_dispatch(s->live, &sink);
	recording_keep(s);
}

bool session_lost(struct session *s)
{
	struct fact_sink sink = session_sink(s);

	return s->live && event_source_counters(s->live, false, &sink);
}

struct model *session_model(struct session *session)
{
	return session->model;
}

void session_glance(struct session *s)
{
	struct fact fact = { .type = FACT_NOW, .mono = now_mono() };

	fact_emit(&s->to_model, &fact);
}

struct report *session_report(struct session *s, enum report_kind kind, const struct fact_now *now)
{
	struct fact_sink sink = session_sink(s);
	struct fact fact = { .type = FACT_NOW, .mono = now_mono(), .now = *now };

	if (s->live)
		event_source_counters(s->live, true, &sink);
	if (!s->options->replay)
		fact_emit(&sink, &fact);
	recording_keep(s);
	return model_report(s->model, kind);
}

/*
 * A change during a scan may be seen in part: one end of a link, an executor that has just begun
 * or ended. A second scan does not show the same. A missing entry of connection tracking is not
 * such a state.
 */
static bool may_be_of_a_moment(const struct report *report)
{
	return report->verdicts[VERDICT_HALF_OPEN] || report->verdicts[VERDICT_DISCONNECTED] ||
	       report->verdicts[VERDICT_UNREGISTERED] || report->verdicts[VERDICT_UNKNOWN];
}

/* An agent sees the end of an executor up to a second later (Mesos 3rdparty/libprocess reap.cpp).
 */
#define REAPED_NS (1500 * 1000 * 1000L)

static bool has_row_without_process(const struct report *report)
{
	for (size_t i = 0; i < report->n_executors; i++)
		if (!report->executors[i].pid)
			return true;
	return false;
}

static void wait_reaped(void)
{
	struct timespec left = { .tv_sec = REAPED_NS / 1000000000L,
				 .tv_nsec = REAPED_NS % 1000000000L };

	nanosleep(&left, NULL); /* a signal ends it */
}

/* A scan that is cut off would tell less than the one before it. */
static bool has_time_for(const struct session *s, int64_t ns)
{
	int64_t end = time_bound_scans(s->options->bound);

	return !end || now_mono() + ns < end;
}

struct report *session_audit(struct session *s)
{
	int64_t took = now_mono();
	struct report *report;

	session_scan(s, SCAN_ALL);
	took = now_mono() - took;
	session_glance(s);
	report = model_report(s->model, REPORT_AUDIT);
	if (report && has_row_without_process(report) && has_time_for(s, took + REAPED_NS))
		wait_reaped();
	if (report && may_be_of_a_moment(report) && has_time_for(s, took))
		session_scan(s, SCAN_ALL);
	report_free(report);
	return session_report(s, REPORT_AUDIT, &(struct fact_now){ 0 });
}

const char *session_verb(const struct session *session)
{
	return session->options->replay ? session->verb : session->options->verb->name;
}

const char *session_boot_id(const struct session *session)
{
	return session->boot_id;
}
