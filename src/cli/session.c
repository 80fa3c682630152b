/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/session_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
#include "base/walltime.h"
#include "cli/capabilities.h"
#include "cli/child.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/netns_option.h"
#include "cli/options.h"
#include "cli/time_bound.h"
#include "observe/agent/api.h"
#include "observe/bpf/scan_once.h"
#include "observe/command_script.h"
#include "observe/event_source.h"
#include "observe/scan.h"
#include "record/recording.h"

/* ---- the beginning ---- */

static void session_fact_emit(struct session *s)
{
	struct utsname host = { 0 };
	int64_t mono = now_mono();
	char *command, *script;
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
				     .restart_wanted =
					     s->options->verb->guards && !s->options->dry_run,
				     .dry_run = s->options->dry_run,
			     } };

	uname(&host);
	fact.session.host = host.nodename;
	fact.session.kernel = host.release;
	command = s->options->command ? child_text(s->options->command) : NULL;
	script = s->options->command ? command_script(s->options->command) : NULL;
	fact.session.command = command;
	fact.session.script = script;
	fact_emit(&sink, &fact);
	free(command);
	free(script);
}

struct session *session_new(const struct options *options, struct error *error)
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
	err = netns_option_open(options->netns, &s->netns_fd, error);
	if (err)
		goto out;
	session_fact_emit(s);
	time_bound_step(options->bound, "the audit log in '%s'", options->state_dir);
	acts_emit(s);
	time_bound_step(options->bound, "its observers");
	err = session_events_open(s, error);
	if (!err)
		err = session_scan_open(s, error);
	if (err)
		goto out;
	capabilities_drop(s->options->verb->guards);
	*ret = s;
	return 0;
out:
	session_close(s);
	return err;
}

/* ---- the end ---- */

/* What became of --keep. */
static void tell_kept(const struct session *s)
{
	if (s->events && event_source_kept(s->events))
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
	event_source_free(s->events);
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

/* ---- accessors ---- */

struct model *session_model(struct session *session)
{
	return session->model;
}

uint16_t session_port(const struct session *session)
{
	return session->options->port;
}

int session_netns(const struct session *session)
{
	return session->netns_fd;
}

const char *session_verb(const struct session *session)
{
	return session->options->replay ? session->verb : session->options->verb->name;
}

const char *session_boot_id(const struct session *session)
{
	return session->boot_id;
}
