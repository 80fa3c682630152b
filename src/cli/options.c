/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/now.h"
#include "cli/suggest.h"
#include "mesos/duration.h"

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
		return refuse(message, "pid '%s' is not a process id", value);
	o->choice.pid = (int32_t)pid;
	o->choice_given = true;
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

static const struct word formats[] = { { "table", FORMAT_TABLE },
				       { "json", FORMAT_JSON },
				       { "jsonl", FORMAT_JSONL },
				       { "nagios", FORMAT_NAGIOS },
				       { 0 } };
static const struct word methods[] = {
	{ "auto", INJECT_AUTO }, { "ptrace", INJECT_PTRACE }, { "pidfd", INJECT_PIDFD }, { 0 }
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
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 *list ? ", " : "", w->name);
	}
	return refuse(message, "%s '%s' is none of: %s", what, value, list);
}

static int set_format(struct options *o, const char *value, char *message)
{
	int format;

	if (word_parse(formats, "format", value, &format, message) < 0)
		return -EINVAL;
	o->format = (enum format)format;
	o->format_given = true;
	return 0;
}

static int set_method(struct options *o, const char *value, char *message)
{
	int method;

	if (word_parse(methods, "method", value, &method, message) < 0)
		return -EINVAL;
	o->method = (enum inject_method)method;
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

static int verdicts_parse(const char *value, uint32_t *verdicts, char *message)
{
	char list[256], *rest = list, *name;

	if ((size_t)snprintf(list, sizeof(list), "%s", value) >= sizeof(list) || !*value)
		return refuse(message, "selection '%.40s' is not a list of verdicts", value);
	while ((name = strsep(&rest, ","))) {
		const char *near = suggest(name, verdict_at, NULL);
		enum verdict verdict;

		if (!verdict_parse(name, &verdict))
			return refuse(message, "'%s' is no verdict%s%s%s", name,
				      near ? "; did you mean " : "", near ? near : "",
				      near ? "?" : "");
		*verdicts |= 1u << verdict;
	}
	return 0;
}

static int set_select(struct options *o, const char *value, char *message)
{
	o->choice_given = true;
	return verdicts_parse(value, &o->choice.verdicts, message);
}

static int set_accept(struct options *o, const char *value, char *message)
{
	return verdicts_parse(value, &o->accepted, message);
}

static int set_horizon(struct options *o, const char *value, char *message)
{
	if (duration_parse(value, &o->horizon) < 0)
		return refuse(message, "horizon '%s' is not a duration such as 90s or 20m", value);
	return 0;
}

/* ---- the table ---- */

static int set_all(struct options *o, const char *value, char *message)
{
	(void)value, (void)message;
	o->choice.all = o->choice_given = true;
	return 0;
}

/* What an option does: fills a text or a flag of struct options, or calls parse. */
#define PARSE(function) .parse = function
#define TEXT(member)	.text = offsetof(struct options, member), .is_text = true
#define FLAG(member)	.flag = offsetof(struct options, member)

static const struct option_row {
	char letter; /* 0: has a long name only */
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;
	int (*parse)(struct options *o, const char *value, char *message);
	size_t text, flag;
	bool is_text;
} rows[] = {
	{ 'p', "port", "N", "agent port (5051)", PARSE(set_port) },
	{ 'w', "work-dir", "DIR",
	  "agent work dir (else: the agent's flags, environment, usual places)", TEXT(work_dir) },
	{ 0, "agent-url", "URL", "agent's HTTP API, as reached from here (else http://ADDRESS:PORT)", TEXT(agent_url) },
	{ 0, "netns", "PID|PATH", "the agent's network namespace (else: this one)", TEXT(netns) },
	{ 0, "credential-file", "F", "its user and password, or token", TEXT(credential_file) },
	{ 'f', "format", "FORMAT", "table, json, jsonl or nagios", PARSE(set_format) },
	{ 0, "record", "FILE", "write every fact to a new file", TEXT(record) },
	{ 0, "replay", "FILE", "judge a recording instead of this host; no root needed",
	  TEXT(replay) },
	{ 0, "baseline", "FILE", "audit, shutdown: save it there too; verify: compare with it",
	  TEXT(baseline) },
	{ 0, "state-dir", "DIR", "baselines and the audit log (/var/lib/execwatch)",
	  TEXT(state_dir) },
	{ 0, "run-dir", "DIR", "the lock of who acts (/run/execwatch)", TEXT(run_dir) },
	{ 0, "method", "HOW", "how shutdown is done: auto, ptrace or pidfd", PARSE(set_method) },
	{ 0, "select", "V[,...]", "act on executors with these verdicts (half-open,at-risk)",
	  PARSE(set_select) },
	{ 0, "pid", "N", "act on this executor", PARSE(set_pid) },
	{ 0, "all", NULL, "act on every link that may be touched", PARSE(set_all) },
	{ 0, "until", "WHEN", "settled, deadline (default) or a duration", PARSE(set_until) },
	{ 0, "master-timeout", "D", "after which the master gives a silent agent up (75s)",
	  PARSE(set_master_timeout) },
	{ 0, "horizon", "D",
	  "connection tracking entries that expire sooner are at risk (recovery timeout)",
	  PARSE(set_horizon) },
	{ 0, "accept", "V[,...]", "run: losses of executors with these verdicts are accepted",
	  PARSE(set_accept) },
	{ 0, "no-bpf", NULL, "sock_diag, /proc and the proc connector only", FLAG(no_bpf) },
	{ 0, "keep", NULL, "leave the observers in the kernel, for the next verify", FLAG(keep) },
	{ 0, "clean", NULL, "doctor: unload what --keep or a killed execwatch has left",
	  FLAG(clean) },
	{ 'n', "dry-run", NULL, "show what would be done, do nothing", FLAG(dry_run) },
	{ 'y', "yes", NULL, "do not ask", FLAG(yes) },
	{ 'q', "quiet", NULL, "no progress messages", FLAG(quiet) },
	{ 'v', "verbose", NULL, "show every executor, and more messages", FLAG(verbose) },
	{ 0, "color", "WHEN", "auto, always or never", PARSE(set_colour) },
	{ 0, "help", NULL, "this help", FLAG(help) },
	{ 0, "version", NULL, "the version", FLAG(version) },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *row_name_at(const void *ctx, size_t i)
{
	(void)ctx;
	return i < N_ROWS ? rows[i].name : NULL;
}

static const char *verb_name_at(const void *ctx, size_t i)
{
	(void)ctx;
	return verbs[i].name;
}

static int apply(struct options *o, const struct option_row *row, const char *value, char *message)
{
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
	return rows[i].letter ? rows[i].letter : KEY_FIRST + (int)i;
}

static const struct option_row *row_of(int key)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (row_key(i) == key)
			return &rows[i];
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
		longs[i] = (struct option){ rows[i].name,
					    rows[i].value ? required_argument : no_argument, NULL,
					    row_key(i) };
		if (!rows[i].letter)
			continue;
		*shorts++ = rows[i].letter;
		if (rows[i].value)
			*shorts++ = ':';
	}
	*shorts = '\0';
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
		return refuse(message, "'%s' takes no command", o->verb->name);
	if (o->clean && strcmp(o->verb->name, "doctor") != 0)
		return refuse(message, "--clean is for 'doctor'; '%s' does not take it",
			      o->verb->name);
	if (o->accepted && !o->verb->takes_command)
		return refuse(message, "--accept is for 'run'; '%s' does not take it",
			      o->verb->name);
	if (o->format == FORMAT_NAGIOS && strcmp(o->verb->name, "watch") == 0)
		return refuse(message, "watch has no format nagios; use verify");
	if (o->record && o->replay)
		return refuse(message, "--record and --replay exclude each other");
	if (o->choice_given && !o->verb->acts)
		return refuse(message,
			      "--select, --pid and --all are for verbs that act; '%s' does not",
			      o->verb->name);
	if ((o->choice.verdicts != 0) + (o->choice.pid != 0) + o->choice.all > 1)
		return refuse(message, "--select, --pid and --all exclude each other");
	return 0;
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.port = 5051,
		.state_dir = "/var/lib/execwatch",
		.run_dir = "/run/execwatch",
		.method = INJECT_AUTO,
		.until = UNTIL_DEADLINE,
		.master_timeout = 75 * NS_PER_S,
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
			err = refuse(message, "option '%s' needs a value", argv[optind - 1]);
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

void options_help(FILE *out, const struct verb *verb)
{
	fprintf(out, "usage: execwatch [options] %s [options]%s\n", verb ? verb->name : "VERB",
		!verb || verb->takes_command ? " [-- CMD...]" : "");
	if (verb) {
		fprintf(out, "\n%s\n", verb->summary);
	} else {
		fputs("\nRestart a Mesos agent without losing a task, and prove it.\n\nverbs:\n",
		      out);
		for (const struct verb *v = verbs; v->name; v++)
			fprintf(out, "  %-10s %s\n", v->name, v->summary);
	}
	fputs("\noptions:\n", out);
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", rows[i].letter ? '-' : ' ',
			 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ',
			 rows[i].name, rows[i].value ? " " : "",
			 rows[i].value ? rows[i].value : "");
		fprintf(out, "  %-27s %s\n", left, rows[i].help);
	}
	fputs("\nexit codes: 0 all well, 1 needs attention, 2 lost or will be, 3 cannot be known,\n"
	      "            64 wrong use, 75 another execwatch is acting on this host\n",
	      out);
}
