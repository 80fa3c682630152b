/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of options. */
#include <stddef.h>

#include "cli/option_values.h"
#include "cli/options.h"

static int option_set_all(struct options *o, const char *value, char *message)
{
	(void)value, (void)message;
	o->choice.all = true;
	return 0;
}

/* What an option does: fills a text or a flag of struct options, or calls parse. */
#define PARSE(function) .parse = function
#define TEXT(member)	.text = offsetof(struct options, member), .is_text = true
#define FLAG(member)	.flag = offsetof(struct options, member)

#define LOOKS	(DOCTOR | JUDGES) /* at this host */
#define JUDGES	(AUDIT | SHUTDOWN | WATCH | VERIFY | RUN | GUARD | PROTECT | HOLD)
#define TREATS	(SHUTDOWN | RUN)
#define CHOOSES (TREATS | PROTECT)
#define ACTS	(CHOOSES | GUARD | HOLD)
#define EVERY	(LOOKS | REPORT)

const struct option_row option_rows[] = {
	{ 'p', "port", "N", "port that the agent listens on, or advertises (5051)", GROUP_AGENT,
	  EVERY, false, PARSE(option_set_port) },
	{ 'w', "work-dir", "DIR",
	  "agent work dir (default: from its flags, environment, usual places)", GROUP_AGENT, LOOKS,
	  false, TEXT(work_dir) },
	{ 0, "agent-url", "URL",
	  "agent's HTTP API, as reached from here (default: http://ADDRESS:PORT)", GROUP_AGENT,
	  LOOKS, false, TEXT(agent_url) },
	{ 0, "master-url", "URL",
	  "the master, to ask about the agent (default: the agent's --master)", GROUP_AGENT, JUDGES,
	  false, TEXT(master_url) },
	{ 0, "netns", "PID|PATH", "the agent's network namespace (default: this one)", GROUP_AGENT,
	  LOOKS, false, TEXT(netns) },
	{ 0, "ca-file", "FILE", "trusted certificates for an https --agent-url (the system's)",
	  GROUP_AGENT, LOOKS, false, TEXT(ca_file) },
	{ 0, "credential-file", "FILE", "the API's user and password, or token", GROUP_AGENT, LOOKS,
	  false, TEXT(credential_file) },

	{ 0, "next-unit", "NAME|FILE", "unit that will start the agent next (its present one)",
	  GROUP_AGENT, JUDGES, false, TEXT(next_unit) },
	{ 0, "next-env", "FILE", "further environment of the next start (repeatable)", GROUP_AGENT,
	  JUDGES, false, PARSE(option_set_next_env) },
	{ 0, "next-version", "V", "Mesos version that will start (the running one)", GROUP_AGENT,
	  JUDGES, false, PARSE(option_set_next_version) },

	{ 0, "select", "V[,...]", "treat executors with these verdicts (half-open,at-risk)",
	  GROUP_CHOICE, CHOOSES, true, PARSE(option_set_select) },
	{ 0, "pid", "N", "treat this executor", GROUP_CHOICE, CHOOSES | HOLD, true,
	  PARSE(option_set_pid) },
	{ 0, "all", NULL, "treat every link that may be touched", GROUP_CHOICE, TREATS, true,
	  PARSE(option_set_all) },
	{ 0, "horizon", "D", "a link is at risk if its entry expires within D (recovery timeout)",
	  GROUP_CHOICE, JUDGES, false, PARSE(option_set_horizon) },

	{ 0, "ignore", "ID[,...]", "findings that do not count for the exit code and the gate",
	  GROUP_CHOICE, JUDGES | REPORT, true, PARSE(option_set_ignore) },

	{ 'n', "dry-run", NULL, "show what would be done, and do nothing", GROUP_ACT, ACTS, false,
	  FLAG(dry_run) },
	{ 'y', "yes", NULL, "do not ask before links are treated", GROUP_ACT, ACTS, false,
	  FLAG(yes) },
	{ 0, "method", "HOW", "how links are shut down: auto, ptrace or pidfd (auto)", GROUP_ACT,
	  TREATS | GUARD, false, PARSE(option_set_method) },
	{ 0, "treat", "WHEN", "before CMD, by the guard (at the agent's end), or both (both)",
	  GROUP_ACT, RUN, true, PARSE(option_set_treat) },
	{ 0, "accept", "V[,...]", "start CMD although executors with these verdicts will be lost",
	  GROUP_ACT, RUN, true, PARSE(option_set_accept) },

	{ 0, "hold-at", "D", "hold who still waits D after its link ended, if no agent is there",
	  GROUP_ACT, RUN, true, PARSE(option_set_hold_at) },
	{ 0, "idle", "D", "probe after D without a packet (a quarter of what the entry lasts)",
	  GROUP_ACT, PROTECT, true, PARSE(option_set_idle) },
	{ 0, "undo", NULL, "give links the keepalive back that they had before", GROUP_ACT, PROTECT,
	  true, FLAG(undo) },
	{ 0, "daemon", NULL, "go on: protect executors as they register", GROUP_ACT, PROTECT, true,
	  FLAG(daemon) },

	{ 0, "until", "WHEN", "settled, deadline or a duration (deadline; watch: until Ctrl-C)",
	  GROUP_WAIT, WATCH | VERIFY | RUN | GUARD, false, PARSE(option_set_until) },
	{ 0, "master-timeout", "D", "after this the master removes a silent agent (75s)",
	  GROUP_WAIT, JUDGES, false, PARSE(option_set_master_timeout) },
	{ 0, "timeout", "D", "end within D, whatever does not answer (10s)", GROUP_WAIT,
	  DOCTOR | AUDIT, true, PARSE(option_set_timeout) },

	{ 0, "record", "FILE", "write every observed fact to a new file", GROUP_FILES, LOOKS, false,
	  TEXT(record) },
	{ 0, "replay", "FILE", "judge a recording instead of this host; needs no root", GROUP_FILES,
	  AUDIT | VERIFY | REPORT, false, TEXT(replay) },
	{ 0, "baseline", "FILE", "verify: compare with it; other verbs: save a copy of it here",
	  GROUP_FILES, AUDIT | SHUTDOWN | VERIFY | RUN | GUARD, false, TEXT(baseline) },
	{ 0, "state-dir", "DIR", "baselines, reports of run, the audit log (/var/lib/execwatch)",
	  GROUP_FILES, AUDIT | SHUTDOWN | VERIFY | RUN | REPORT | GUARD | PROTECT | HOLD, false,
	  TEXT(state_dir) },
	{ 0, "run-dir", "DIR", "locks and observers that outlive a run (/run/execwatch)",
	  GROUP_FILES, LOOKS, false, TEXT(run_dir) },

	{ 0, "no-bpf", NULL, "observe by sock_diag, /proc and the proc connector only",
	  GROUP_OBSERVERS, LOOKS, false, FLAG(no_bpf) },
	{ 0, "keep", NULL, "leave the observers in the kernel for the next verify", GROUP_OBSERVERS,
	  JUDGES, false, FLAG(keep) },
	{ 0, "clean", NULL, "unload the observers that --keep or a killed execwatch has left",
	  GROUP_OBSERVERS, DOCTOR, true, FLAG(clean) },

	{ 'f', "format", "FORMAT", "see below (table)", GROUP_OUTPUT, EVERY, false,
	  PARSE(option_set_format) },
	{ 0, "color", "WHEN", "auto, always or never", GROUP_OUTPUT, EVERY, false,
	  PARSE(option_set_colour) },
	{ 'q', "quiet", NULL, "no progress messages", GROUP_OUTPUT, SHUTDOWN | VERIFY | RUN | GUARD,
	  false, FLAG(quiet) },
	{ 'v', "verbose", NULL, "every executor with its evidence, and libbpf's messages",
	  GROUP_OUTPUT, EVERY, false, FLAG(verbose) },
	{ 0, "help", NULL, "this help", GROUP_OUTPUT, EVERY, false, FLAG(help) },
	{ 0, "version", NULL, "the version", GROUP_OUTPUT, EVERY, false, FLAG(version) },
	{ 0 },
};

_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) - 1 <= OPTION_ROWS_MAX,
	       "struct options has a bit for each row in restricted");
