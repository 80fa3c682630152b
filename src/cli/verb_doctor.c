/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/now.h"
#include "base/safe_dir.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/time_bound.h"
#include "cli/verbs.h"
#include "cli/watch_pins.h"
#include "base/error.h"
#include "model/finding_table.h"
#include "observe/bpf/hooks_probe.h"
#include "observe/host.h"
#include "observe/nobpf.h"
#include "show/doctor.h"
#include "show/format.h"

#define HOOKS_MAX  64
#define CHECKS_MAX (HOST_PROBES_MAX + HOOKS_MAX + 9)

struct program {
	const char *hook;
	const char *name;
	const char *reason; /* "": it works */
	bool best_effort;
};

struct doctor {
	struct arena *arena;
	struct check checks[CHECKS_MAX];
	size_t n;
	struct program programs[HOOKS_MAX];
	size_t n_programs;
	unsigned int cannot; /* HOST_ bits of what does not work */
	bool attention;	     /* all of it may work, and somebody has to look at the host first */
};

static void check_add(struct doctor *d, const char *name, enum check_state state,
		      const char *detail, const char *cure)
{
	if (d->n < CHECKS_MAX)
		d->checks[d->n++] = (struct check){ name, state, detail, cure };
}

static void check_host(struct doctor *d, bool bpf)
{
	static const enum check_state states[] = { [HOST_OK] = CHECK_OK,
						   [HOST_DEGRADED] = CHECK_DEGRADED,
						   [HOST_MISSING] = CHECK_MISSING };
	struct host_probe probes[HOST_PROBES_MAX];
	size_t n = host_probe_all(bpf, probes);

	for (size_t i = 0; i < n; i++) {
		check_add(d, probes[i].name, states[probes[i].state],
			  arena_text(d->arena, probes[i].detail),
			  arena_text(d->arena, probes[i].cure));
		if (probes[i].state == HOST_MISSING)
			d->cannot |= probes[i].needed_for;
	}
}

/* ---- BPF: each hook, the program it gets, and why not a better one ---- */

static void program_take(void *ctx, const struct fact *fact)
{
	struct doctor *d = ctx;

	if (fact->type != FACT_HOOK || d->n_programs == HOOKS_MAX)
		return;
	d->programs[d->n_programs++] = (struct program){
		.hook = arena_text(d->arena, fact->hook.hook),
		.name = arena_text(d->arena, fact->hook.program),
		.reason = arena_text(d->arena, fact->hook.reason),
		.best_effort = fact->hook.best_effort,
	};
}

static const struct program *hook_best(const struct doctor *d, const char *hook)
{
	for (size_t i = 0; i < d->n_programs; i++)
		if (strcmp(d->programs[i].hook, hook) == 0 && !*d->programs[i].reason)
			return &d->programs[i];
	return NULL;
}

static void check_hook(struct doctor *d, const char *hook)
{
	const struct program *best = hook_best(d, hook);
	const char *refused = "";

	for (size_t i = 0; i < d->n_programs; i++) {
		const struct program *p = &d->programs[i];

		if (strcmp(p->hook, hook) == 0 && *p->reason && (!best || p < best))
			refused = arena_printf(d->arena, "%s; not %s: %s", refused, p->name,
					       p->reason);
	}
	if (best)
		check_add(d, arena_printf(d->arena, "bpf %s", hook),
			  best->best_effort ? CHECK_DEGRADED : CHECK_OK,
			  arena_printf(
				  d->arena, "%s%s%s", best->name,
				  best->best_effort
					  ? " (best effort: what it does not see may have happened)"
					  : "",
				  refused),
			  "");
	else
		check_add(d, arena_printf(d->arena, "bpf %s", hook), CHECK_DEGRADED,
			  arena_printf(d->arena, "no program%s", refused),
			  "what only this hook shows is reported as unknown; a newer kernel has "
			  "it");
}

static void check_bpf(struct doctor *d)
{
	struct fact_sink sink = { program_take, d };
	struct error error = { 0 };

	if (ew_bpf_hooks_probe(&sink, &error) < 0) {
		check_add(d, "bpf", CHECK_MISSING,
			  arena_printf(d->arena, "%s: %s", error.message, strerror(-error.code)),
			  *error.cure ? arena_text(d->arena, error.cure) : "use --no-bpf");
		d->cannot |= HOST_WATCH;
		return;
	}
	for (size_t i = 0; i < d->n_programs; i++)
		if (i == 0 || strcmp(d->programs[i].hook, d->programs[i - 1].hook) != 0)
			check_hook(d, d->programs[i].hook);
}

/* ---- without BPF ---- */

/* What is missing where a hook is not served, or shows part only. */
static const char *nobpf_missing(const char *hook)
{
	static const char *const missing[][2] = {
		{ "messages",
		  "registrations are proven by the agent's API or by the links, not by messages" },
		{ "signal", "who killed an executor is not known" },
		{ "tcp-state", "connections are seen as they end; new ones by a scan each second" },
		{ "exit", "how an executor ended may not be known" },
	};

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (strcmp(missing[i][0], hook) == 0)
			return missing[i][1];
	return "new processes are found by a scan each second";
}

static void nobpf_take(void *ctx, const struct fact *fact)
{
	struct doctor *d = ctx;
	const struct fact_hook *hook = &fact->hook;
	bool whole = *hook->program && !hook->best_effort;
	const char *program = *hook->program ? hook->program : "not seen";

	if (fact->type == FACT_HOOK)
		check_add(d, arena_printf(d->arena, "watch %s", hook->hook),
			  whole ? CHECK_OK : CHECK_DEGRADED,
			  arena_printf(d->arena, "%s%s%s%s%s", program, whole ? "" : ": ",
				       whole ? "" : nobpf_missing(hook->hook),
				       *hook->reason ? "; " : "", hook->reason),
			  whole ? "" : "leave out --no-bpf, where the kernel takes BPF programs");
}

static void check_nobpf(struct doctor *d, const struct options *options)
{
	struct nobpf_options how = { .agent_port = options->port, .reason = "--no-bpf" };
	struct fact_sink sink = { nobpf_take, d };
	struct nobpf *nobpf;
	struct error error = { 0 };

	if (nobpf_open(&how, &sink, &nobpf, &error) == 0) {
		nobpf_free(nobpf);
		return;
	}
	check_add(d, "watch", CHECK_MISSING, arena_text(d->arena, error.message),
		  arena_text(d->arena, error.cure));
	d->cannot |= HOST_WATCH;
}

/* ---- the agent ---- */

/* Without checkpoints nobody can say who has registered, and so who may be touched. */
static void check_work_dir(struct doctor *d, const struct report *report)
{
	bool wanted = report->agent.pid || report->n_executors > report->verdicts[VERDICT_FOREIGN];

	if (*report->agent.work_dir) {
		check_add(d, "work dir", CHECK_OK, arena_text(d->arena, report->agent.work_dir),
			  "");
		return;
	}
	check_add(d, "work dir", wanted ? CHECK_MISSING : CHECK_DEGRADED,
		  "no directory with checkpoints was found",
		  "give it with --work-dir; without it registrations are unknown");
	if (wanted)
		d->cannot |= HOST_AUDIT | HOST_SHUTDOWN;
}

/* Executors may take such a process for the agent. Of several the first one is told. */
static void check_impostor(struct doctor *d, const struct report *report)
{
	for (size_t i = 0; i < report->n_findings; i++) {
		const struct report_finding *finding = &report->findings[i];

		if (strcmp(finding->id, finding_id(FINDING_IMPOSTOR_AGENT)) != 0)
			continue;
		check_add(d, "listener", CHECK_DEGRADED, arena_text(d->arena, finding->evidence),
			  arena_text(d->arena, finding->cure));
		d->attention = !finding->ignored;
		return;
	}
}

static void check_agent(struct doctor *d, const struct report *report)
{
	char listen[ADDR_TEXT_MAX];

	if (report->agent.pid)
		check_add(d, "agent", CHECK_OK,
			  arena_printf(d->arena, "%s, pid %d, listens on %s", report->agent.comm,
				       report->agent.pid, addr_text(&report->agent.listen, listen)),
			  "");
	else if (report->blind)
		check_add(d, "agent", CHECK_MISSING,
			  "not known: sockets or processes could not be read", "run as root");
	else
		check_add(d, "agent", CHECK_DEGRADED,
			  arena_printf(d->arena, "no process of an agent listens on port %u",
				       report->agent_port),
			  "start the agent, or give its port with --port; links can be judged "
			  "without it");
	if (report->agent.pid && strcmp(report->agent.api, "serving") == 0)
		check_add(d, "agent api", CHECK_OK, "answers", "");
	else if (report->agent.pid)
		check_add(d, "agent api", CHECK_DEGRADED, arena_text(d->arena, report->agent.api),
			  "give --agent-url or --credential-file; without it, what the API proves "
			  "is not proven");
	check_impostor(d, report);
	check_work_dir(d, report);
}

/* ---- the directories that acting and watching need ---- */

static void check_dir(struct doctor *d, const char *name, const char *path, const char *option)
{
	struct error error = { 0 };
	int fd = safe_dir_open(path, 0, option, &error);

	if (fd >= 0)
		close(fd);
	if (fd >= 0) {
		check_add(d, name, CHECK_OK, path, "");
	} else if (fd == -ENOENT) {
		check_add(d, name, CHECK_OK, arena_printf(d->arena, "%s, made when needed", path),
			  "");
	} else {
		check_add(d, name, CHECK_MISSING,
			  arena_printf(d->arena, "%s: %s", error.message, strerror(-error.code)),
			  arena_text(d->arena, error.cure));
		d->cannot |= HOST_SHUTDOWN;
	}
}

static struct session *doctor_snapshot(struct doctor *d, const struct options *options,
				       struct report **report)
{
	struct fact_now now = { 0 };
	struct session *session;
	struct error error = { 0 };

	if (session_open(options, &session, &error) < 0) {
		check_add(d, "scan", CHECK_MISSING,
			  arena_printf(d->arena, "%s: %s", error.message, strerror(-error.code)),
			  arena_text(d->arena, error.cure));
		d->cannot |= HOST_AUDIT;
		return NULL;
	}
	session_scan(session, SCAN_ALL);
	*report = session_report(session, REPORT_AUDIT, &now);
	if (!*report) {
		check_add(d, "scan", CHECK_MISSING, "out of memory", "free memory");
		d->cannot |= HOST_AUDIT;
	} else if (time_bound_scans(options->bound) &&
		   now_mono() >= time_bound_scans(options->bound)) {
		check_add(d, "scan", CHECK_MISSING,
			  "not everything could be looked at in time; 'execwatch -v audit' says "
			  "what is missing",
			  "see what does not answer, or give it longer with --timeout");
		d->cannot |= HOST_AUDIT;
	} else if ((*report)->blind) {
		check_add(d, "scan", CHECK_MISSING,
			  "sockets or processes could not all be read; 'execwatch -v audit' says "
			  "which",
			  "run as root");
		d->cannot |= HOST_AUDIT;
	}
	return session;
}

static int write_out(const struct options *options, const struct checkup *checkup)
{
	struct layout table = output_layout(options);
	int err;

	time_bound_write(options->bound);
	err = options->format->checkup(stdout, checkup, &table);
	time_bound_step(options->bound, "its end");
	time_bound_written(options->bound);

	if (!err && options->reported)
		*options->reported = true;
	if (!err)
		return checkup->exit_code;
	log_message("write to standard output: %s", strerror(-err));
	return EXIT_UNKNOWN;
}

static int conclude(const struct options *options, struct doctor *d, const struct report *report)
{
	struct checkup checkup = {
		.tool = report ? report->tool : EW_VERSION,
		.host = report ? report->host : "",
		.boot_id = report ? report->boot_id : "",
		.generated = report ? report->generated : 0,
		.checks = d->checks,
		.n = d->n,
		.audit = !(d->cannot & HOST_AUDIT),
		.shutdown = !(d->cannot & (HOST_AUDIT | HOST_SHUTDOWN)),
		.watch = !(d->cannot & (HOST_AUDIT | HOST_WATCH)),
	};

	if (!checkup.audit)
		checkup.exit_code = EXIT_UNKNOWN;
	else if (!checkup.shutdown || !checkup.watch || d->attention)
		checkup.exit_code = EXIT_ATTENTION;
	return write_out(options, &checkup);
}

/* Returns an exit code. */
static int clean(const struct options *options)
{
	struct error error = { 0 };
	bool locked;
	int err = watch_pins_clean(options->run_dir, options->port, &locked, &error);

	if (err == -ENOENT) {
		log_message("nothing is left in the kernel by a watch of port %u", options->port);
		return EXIT_WELL;
	}
	if (!err) {
		log_message("unloaded what a watch of port %u had left", options->port);
		return EXIT_WELL;
	}
	log_error(&error);
	if (locked)
		return EXIT_ATTENTION;
	return err == -EBUSY ? EXIT_BUSY : EXIT_UNKNOWN;
}

int verb_doctor(const struct options *options)
{
	struct doctor *d;
	struct arena *arena = arena_new();
	struct report *report = NULL;
	struct session *session;
	int code = EXIT_UNKNOWN;

	if (options->clean) {
		code = clean(options);
		goto out;
	}
	d = arena ? arena_array(arena, 1, sizeof(*d)) : NULL;
	if (!d) {
		log_message("doctor: out of memory");
		goto out;
	}
	d->arena = arena;
	time_bound_step(options->bound, "the host");
	check_host(d, !options->no_bpf);
	time_bound_step(options->bound, "its observers");
	if (options->no_bpf)
		check_nobpf(d, options);
	else
		check_bpf(d);
	time_bound_step(options->bound, "the run dir '%s'", options->run_dir);
	check_dir(d, "run dir", options->run_dir, "--run-dir");
	time_bound_step(options->bound, "the state dir '%s'", options->state_dir);
	check_dir(d, "state dir", options->state_dir, "--state-dir");
	session = doctor_snapshot(d, options, &report);
	if (report)
		check_agent(d, report);
	code = conclude(options, d, report);
	report_free(report);
	code = session_end(session, code);
out:
	arena_free(arena);
	return code;
}
