/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/keepalive.h"
#include "base/now.h"
#include "cli/suggest.h"
#include "mesos/duration.h"
#include "mesos/version.h"
#include "model/finding_table.h"
#include "show/format.h"

#define MESSAGE_MAX 512

static int refuse(char *message, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *message, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, MESSAGE_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void list_add(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

/* ---- values ---- */

static int set_port(struct options *o, const char *value, char *message)
{
	char *end;
	unsigned long port = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || port < 1 || port > UINT16_MAX)
		return refuse(message, "port '%s' is not a number from 1 to 65535", value);
	o->port = (uint16_t)port;
	return 0;
}

static int set_pid(struct options *o, const char *value, char *message)
{
	char *end;
	long pid = strtol(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || pid < 1 || pid > INT32_MAX)
		return refuse(message,
			      "pid '%s' is not a process id; 'execwatch -v audit' lists them",
			      value);
	o->choice.pid = (int32_t)pid;
	return 0;
}

/* "90s", "15m", "2h", "1d", and as Mesos writes durations: "15mins". */
static int duration_parse(const char *value, int64_t *ns)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = { { "s", NS_PER_S },
		      { "m", 60 * NS_PER_S },
		      { "h", 3600 * NS_PER_S },
		      { "d", 86400 * NS_PER_S } };
	char *end;
	unsigned long long number;

	if (mesos_duration_parse(mesos_span_of(value), ns) == 0)
		return *ns > 0 ? 0 : -EINVAL;
	if (*value < '0' || *value > '9')
		return -EINVAL;
	number = strtoull(value, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (number < 1 || number > (unsigned long long)(INT64_MAX / units[i].ns))
			return -EINVAL;
		*ns = (int64_t)number * units[i].ns;
		return 0;
	}
	return -EINVAL;
}

static int set_master_timeout(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->master_timeout) < 0)
		return refuse(message, "master timeout '%s' is not a duration such as 75s or 5m",
			      value);
	return 0;
}

static int set_timeout(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->timeout) < 0 || o->timeout > 86400 * NS_PER_S)
		return refuse(message,
			      "timeout '%s' is not a duration such as 500ms or 30s, a day "
			      "at most",
			      value);
	return 0;
}

static int set_until(struct options *o, const char *value, char *message)
{
	if (strcmp(value, "settled") == 0 || strcmp(value, "deadline") == 0) {
		o->until = *value == 's' ? UNTIL_SETTLED : UNTIL_DEADLINE;
		o->until_ns = 0;
		return 0;
	}
	if (duration_parse(value, &o->until_ns) < 0)
		return refuse(
			message,
			"until '%s' is not settled, deadline or a duration such as 90s or 20m",
			value);
	return 0;
}

struct word {
	const char *name;
	int value;
};

static const struct word methods[] = {
	{ "auto", INJECT_AUTO }, { "ptrace", INJECT_PTRACE }, { "pidfd", INJECT_PIDFD }, { 0 }
};
static const struct word treats[] = {
	{ "before", TREAT_BEFORE }, { "guard", TREAT_GUARD }, { "both", TREAT_BOTH }, { 0 }
};
static const struct word colours[] = {
	{ "auto", COLOUR_AUTO }, { "always", COLOUR_ALWAYS }, { "never", COLOUR_NEVER }, { 0 }
};

static int word_parse(const struct word *words, const char *what, const char *value, int *ret,
		      char *message)
{
	char list[128] = "";

	for (const struct word *w = words; w->name; w++) {
		if (strcmp(value, w->name) == 0) {
			*ret = w->value;
			return 0;
		}
		list_add(list, sizeof(list), w->name);
	}
	return refuse(message, "%s '%s' is none of: %s", what, value, list);
}

static int set_format(struct options *o, const char *value, char *message)
{
	char list[128] = "";

	o->format = formatter_find(value);
	o->format_given = true;
	if (o->format)
		return 0;
	for (const struct formatter *f = formatters; f->name; f++)
		list_add(list, sizeof(list), f->name);
	return refuse(message, "format '%s' is none of: %s", value, list);
}

static int set_method(struct options *o, const char *value, char *message)
{
	int method;

	if (word_parse(methods, "method", value, &method, message) < 0)
		return -EINVAL;
	o->method = (enum inject_method)method;
	return 0;
}

static int set_treat(struct options *o, const char *value, char *message)
{
	int when;

	if (word_parse(treats, "treat", value, &when, message) < 0)
		return -EINVAL;
	o->treat = (enum treat_when)when;
	return 0;
}

static int set_colour(struct options *o, const char *value, char *message)
{
	int colour;

	if (word_parse(colours, "color", value, &colour, message) < 0)
		return -EINVAL;
	o->colour = (enum colour)colour;
	return 0;
}

static const char *verdict_at(const void *ctx, size_t i)
{
	(void)ctx;
	return i < VERDICT_COUNT ? verdict_name((enum verdict)i) : NULL;
}

static int unknown_verdict(const char *name, char *message)
{
	const char *near = suggest(name, verdict_at, NULL);
	char list[256] = "";

	if (near)
		return refuse(message, "'%s' is no verdict; did you mean %s?", name, near);
	for (int i = 0; i < VERDICT_COUNT; i++)
		list_add(list, sizeof(list), verdict_name((enum verdict)i));
	return refuse(message, "'%s' is no verdict; they are: %s", name, list);
}

static int verdicts_parse(const char *value, uint32_t *verdicts, char *message)
{
	char list[256], *rest = list, *name;

	if ((size_t)snprintf(list, sizeof(list), "%s", value) >= sizeof(list) || !*value)
		return refuse(message,
			      "'%.40s' is not a list of verdicts such as half-open,at-risk", value);
	while ((name = strsep(&rest, ","))) {
		enum verdict verdict;

		if (!verdict_parse(name, &verdict))
			return unknown_verdict(name, message);
		*verdicts |= 1u << verdict;
	}
	return 0;
}

static int set_select(struct options *o, const char *value, char *message)
{
	return verdicts_parse(value, &o->choice.verdicts, message);
}

static int set_accept(struct options *o, const char *value, char *message)
{
	return verdicts_parse(value, &o->accepted, message);
}

static const char *finding_at(const void *ctx, size_t i)
{
	(void)ctx;
	return finding_id((enum finding)i);
}

/* Each id once, however often it is given. */
static int set_ignore(struct options *o, const char *value, char *message)
{
	char list[sizeof(o->ignored)], *rest = list, *id;
	enum finding finding;

	if ((size_t)snprintf(list, sizeof(list), "%s", value) >= sizeof(list))
		return refuse(message, "ignore '%.40s...' is too long", value);
	while ((id = strsep(&rest, ","))) {
		const char *near = suggest(id, finding_at, NULL);
		size_t len = strlen(o->ignored);

		if (!finding_parse(id, &finding))
			return refuse(message,
				      "'%s' is no finding%s%s%s; docs/findings.md lists them", id,
				      near ? "; did you mean " : "", near ? near : "",
				      near ? "?" : "");
		if (!finding_is_in(o->ignored, id))
			snprintf(o->ignored + len, sizeof(o->ignored) - len, "%s%s", len ? "," : "",
				 id);
	}
	return 0;
}

static int set_next_version(struct options *o, const char *value, char *message)
{
	struct mesos_version version;

	if (mesos_version_parse(mesos_span_of(value), &version) < 0)
		return refuse(message, "version '%s' is not one of Mesos, such as 1.11.0", value);
	o->next_version = value;
	return 0;
}

static int set_next_env(struct options *o, const char *value, char *message)
{
	if (o->n_next_env == sizeof(o->next_env) / sizeof(*o->next_env))
		return refuse(message, "--next-env is given more than %zu times",
			      sizeof(o->next_env) / sizeof(*o->next_env));
	o->next_env[o->n_next_env++] = value;
	return 0;
}

static int set_horizon(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->horizon) < 0)
		return refuse(message, "horizon '%s' is not a duration such as 90s or 20m", value);
	return 0;
}

static int set_hold_at(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->hold_at) < 0)
		return refuse(message, "hold time '%s' is not a duration such as 90s or 10m",
			      value);
	return 0;
}

static int set_idle(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->keepidle) < 0 || o->keepidle % NS_PER_S ||
	    o->keepidle > KEEPALIVE_IDLE_MAX * NS_PER_S)
		return refuse(message,
			      "idle time '%s' is not a duration from 1s to %us, in whole seconds",
			      value, KEEPALIVE_IDLE_MAX);
	return 0;
}

/* ---- the table ---- */

static int set_all(struct options *o, const char *value, char *message)
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
	{ 'p', "port", "N", "port that the agent listens on (5051)", GROUP_AGENT, EVERY, false,
	  PARSE(set_port) },
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
	  JUDGES, false, PARSE(set_next_env) },
	{ 0, "next-version", "V", "Mesos version that will start (the running one)", GROUP_AGENT,
	  JUDGES, false, PARSE(set_next_version) },

	{ 0, "select", "V[,...]", "treat executors with these verdicts (half-open,at-risk)",
	  GROUP_CHOICE, CHOOSES, true, PARSE(set_select) },
	{ 0, "pid", "N", "treat this executor", GROUP_CHOICE, CHOOSES | HOLD, true,
	  PARSE(set_pid) },
	{ 0, "all", NULL, "treat every link that may be touched", GROUP_CHOICE, TREATS, true,
	  PARSE(set_all) },
	{ 0, "horizon", "D", "a link is at risk if its entry expires within D (recovery timeout)",
	  GROUP_CHOICE, JUDGES, false, PARSE(set_horizon) },

	{ 0, "ignore", "ID[,...]", "findings that do not count for the exit code and the gate",
	  GROUP_CHOICE, JUDGES | REPORT, true, PARSE(set_ignore) },

	{ 'n', "dry-run", NULL, "show what would be done, and do nothing", GROUP_ACT, ACTS, false,
	  FLAG(dry_run) },
	{ 'y', "yes", NULL, "do not ask before links are treated", GROUP_ACT, ACTS, false,
	  FLAG(yes) },
	{ 0, "method", "HOW", "how links are shut down: auto, ptrace or pidfd (auto)", GROUP_ACT,
	  TREATS | GUARD, false, PARSE(set_method) },
	{ 0, "treat", "WHEN", "before CMD, by the guard (at the agent's end), or both (both)",
	  GROUP_ACT, RUN, true, PARSE(set_treat) },
	{ 0, "accept", "V[,...]", "start CMD although executors with these verdicts will be lost",
	  GROUP_ACT, RUN, true, PARSE(set_accept) },

	{ 0, "hold-at", "D", "hold who still waits D after its link ended, if no agent is there",
	  GROUP_ACT, RUN, true, PARSE(set_hold_at) },
	{ 0, "idle", "D", "probe after D without a packet (a quarter of what the entry lasts)",
	  GROUP_ACT, PROTECT, true, PARSE(set_idle) },
	{ 0, "undo", NULL, "give links the keepalive back that they had before", GROUP_ACT, PROTECT,
	  true, FLAG(undo) },
	{ 0, "daemon", NULL, "go on: protect executors as they register", GROUP_ACT, PROTECT, true,
	  FLAG(daemon) },

	{ 0, "until", "WHEN", "settled, deadline or a duration (deadline; watch: until Ctrl-C)",
	  GROUP_WAIT, WATCH | VERIFY | RUN | GUARD, false, PARSE(set_until) },
	{ 0, "master-timeout", "D", "after this the master removes a silent agent (75s)",
	  GROUP_WAIT, JUDGES, false, PARSE(set_master_timeout) },
	{ 0, "timeout", "D", "end within D, whatever does not answer (10s)", GROUP_WAIT,
	  DOCTOR | AUDIT, true, PARSE(set_timeout) },

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
	  PARSE(set_format) },
	{ 0, "color", "WHEN", "auto, always or never", GROUP_OUTPUT, EVERY, false,
	  PARSE(set_colour) },
	{ 'q', "quiet", NULL, "no progress messages", GROUP_OUTPUT, SHUTDOWN | VERIFY | RUN | GUARD,
	  false, FLAG(quiet) },
	{ 'v', "verbose", NULL, "every executor with its evidence, and libbpf's messages",
	  GROUP_OUTPUT, EVERY, false, FLAG(verbose) },
	{ 0, "help", NULL, "this help", GROUP_OUTPUT, EVERY, false, FLAG(help) },
	{ 0, "version", NULL, "the version", GROUP_OUTPUT, EVERY, false, FLAG(version) },
	{ 0 },
};

#define N_ROWS (sizeof(option_rows) / sizeof(option_rows[0]) - 1)
_Static_assert(N_ROWS <= 64, "struct options has a bit for each row in restricted");

static const char *row_name_at(const void *ctx, size_t i)
{
	(void)ctx;
	return option_rows[i].name;
}

static const char *verb_name_at(const void *ctx, size_t i)
{
	(void)ctx;
	return verbs[i].name;
}

static int apply(struct options *o, const struct option_row *row, const char *value, char *message)
{
	if (row->only)
		o->restricted |= 1ull << (row - option_rows);
	if (row->parse)
		return row->parse(o, value, message);
	if (row->is_text)
		*(const char **)((char *)o + row->text) = value;
	else
		*(bool *)((char *)o + row->flag) = true;
	return 0;
}

/* getopt's key of a row: its letter, or a number beyond all letters. */
#define KEY_FIRST 256

static int row_key(size_t i)
{
	return option_rows[i].letter ? option_rows[i].letter : KEY_FIRST + (int)i;
}

static const struct option_row *row_of(int key)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (row_key(i) == key)
			return &option_rows[i];
	return NULL;
}

static int unknown_option(const char *word, char *message)
{
	char name[64];
	const char *near;

	if (word[0] != '-' || word[1] != '-')
		return refuse(message, "unknown option '%s'; see 'execwatch --help'", word);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	near = suggest(name, row_name_at, NULL);
	if (near)
		return refuse(message, "unknown option '--%s'; did you mean '--%s'?", name, near);
	return refuse(message, "unknown option '--%s'; see 'execwatch --help'", name);
}

static int take_word(struct options *o, const char *word, char *message)
{
	const char *near;

	if (o->verb)
		return refuse(message, "unexpected argument '%s'%s", word,
			      o->verb->takes_command ? "; put the command behind --" : "");
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(word, v->name) == 0)
			o->verb = v;
	if (o->verb)
		return 0;
	near = suggest(word, verb_name_at, NULL);
	if (near)
		return refuse(message, "unknown verb '%s'; did you mean '%s'?", word, near);
	return refuse(message, "unknown verb '%s'; see 'execwatch --help'", word);
}

static void getopt_build(struct option *longs, char *shorts)
{
	*shorts++ = '-'; /* words come in their place, as if of an option 1 */
	*shorts++ = ':';
	for (size_t i = 0; i < N_ROWS; i++) {
		longs[i] = (struct option){ option_rows[i].name,
					    option_rows[i].value ? required_argument : no_argument,
					    NULL, row_key(i) };
		if (!option_rows[i].letter)
			continue;
		*shorts++ = option_rows[i].letter;
		if (option_rows[i].value)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

/* Names of the verbs that take an option: "shutdown and run". */
static void takers(unsigned int wanted, char *list, size_t size)
{
	*list = '\0';
	for (const struct verb *v = verbs; v->name; v++) {
		bool last = !(wanted & ~(v->bit | (v->bit - 1u)));

		if (wanted & v->bit)
			snprintf(list + strlen(list), size - strlen(list), "%s%s",
				 !*list ? ""
				 : last ? " and "
					: ", ",
				 v->name);
	}
}

static int check_restricted(const struct options *o, char *message)
{
	char list[128];

	for (size_t i = 0; i < N_ROWS; i++) {
		if (!(o->restricted & 1ull << i) || option_rows[i].verbs & o->verb->bit)
			continue;
		takers(option_rows[i].verbs, list, sizeof(list));
		return refuse(message, "--%s is for %s; '%s' does not take it", option_rows[i].name,
			      list, o->verb->name);
	}
	return 0;
}

bool options_format_fits(const struct verb *verb, const struct formatter *format)
{
	if (verb->bit == WATCH)
		return format->events != EVENTS_NONE;
	return verb->bit == DOCTOR ? format->checkup != NULL : format->report != NULL;
}

static int check_together(const struct options *o, char *message)
{
	if (o->help || o->version)
		return 0;
	if (!o->verb)
		return refuse(message, "no verb given; see 'execwatch --help'");
	if (o->verb->takes_command && !o->command && !o->replay)
		return refuse(message, "'%s' needs a command: execwatch %s -- CMD...",
			      o->verb->name, o->verb->name);
	if (!o->verb->takes_command && o->command)
		return refuse(message, "'%s' takes no command; run does", o->verb->name);
	if (o->format_given && !options_format_fits(o->verb, o->format))
		return refuse(message, "%s has no format %s; 'execwatch %s --help' lists them",
			      o->verb->name, o->format->name, o->verb->name);
	if (o->record && o->replay)
		return refuse(message, "--record and --replay exclude each other");
	if (o->undo && (o->daemon || o->keepidle))
		return refuse(message, "--undo excludes --daemon and --idle");
	if (o->daemon && (o->dry_run || o->choice.pid || o->choice.verdicts))
		return refuse(message, "--daemon excludes --dry-run, --pid and --select");
	if ((o->choice.verdicts != 0) + (o->choice.pid != 0) + o->choice.all > 1)
		return refuse(message, "--select, --pid and --all exclude each other");
	return check_restricted(o, message);
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.port = 5051,
		.state_dir = "/var/lib/execwatch",
		.run_dir = "/run/execwatch",
		.format = formatters,
		.method = INJECT_AUTO,
		.until = UNTIL_DEADLINE,
		.master_timeout = 75 * NS_PER_S,
		.timeout = 10 * NS_PER_S,
	};
}

int options_parse(int argc, char **argv, struct options *o, char *message)
{
	struct option longs[N_ROWS + 1] = { 0 };
	char shorts[2 * N_ROWS + 3];
	bool ended;
	int key;

	set_defaults(o);
	getopt_build(longs, shorts);
	opterr = 0;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		int err = 0;

		if (key == 1)
			err = take_word(o, optarg, message);
		else if (key == ':')
			err = refuse(message, "option '%s' needs a value; see 'execwatch --help'",
				     argv[optind - 1]);
		else if (key == '?')
			err = unknown_option(argv[optind - 1], message);
		else
			err = apply(o, row_of(key), optarg, message);
		if (err)
			return err;
	}
	ended = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
	if (ended && optind < argc)
		o->command = argv + optind;
	return check_together(o, message);
}
