/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/now.h"
#include "cli/option_values.h"
#include "cli/suggest.h"
#include "show/format.h"

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
	for (size_t i = 0; option_rows[i].name; i++)
		if (row_key(i) == key)
			return &option_rows[i];
	return NULL;
}

static int unknown_option(const char *word, char *message)
{
	char name[64];
	const char *near;

	if (word[0] != '-' || word[1] != '-')
		return option_refuse(message, "unknown option '%s'; see 'execwatch --help'", word);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	near = suggest(name, row_name_at, NULL);
	if (near)
		return option_refuse(message, "unknown option '--%s'; did you mean '--%s'?", name,
				     near);
	return option_refuse(message, "unknown option '--%s'; see 'execwatch --help'", name);
}

static int take_word(struct options *o, const char *word, char *message)
{
	const char *near;

	if (o->verb)
		return option_refuse(message, "unexpected argument '%s'%s", word,
				     o->verb->takes_command ? "; put the command behind --" : "");
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(word, v->name) == 0)
			o->verb = v;
	if (o->verb)
		return 0;
	near = suggest(word, verb_name_at, NULL);
	if (near)
		return option_refuse(message, "unknown verb '%s'; did you mean '%s'?", word, near);
	return option_refuse(message, "unknown verb '%s'; see 'execwatch --help'", word);
}

static void getopt_build(struct option *longs, char *shorts)
{
	*shorts++ = '-'; /* words come in their place, as if of an option 1 */
	*shorts++ = ':';
	for (size_t i = 0; option_rows[i].name; i++) {
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

	for (size_t i = 0; option_rows[i].name; i++) {
		if (!(o->restricted & 1ull << i) || option_rows[i].verbs & o->verb->bit)
			continue;
		takers(option_rows[i].verbs, list, sizeof(list));
		return option_refuse(message, "--%s is for %s; '%s' does not take it",
				     option_rows[i].name, list, o->verb->name);
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
		return option_refuse(message, "no verb given; see 'execwatch --help'");
	if (o->verb->takes_command && !o->command && !o->replay)
		return option_refuse(message, "'%s' needs a command: execwatch %s -- CMD...",
				     o->verb->name, o->verb->name);
	if (!o->verb->takes_command && o->command)
		return option_refuse(message, "'%s' takes no command; run does", o->verb->name);
	if (o->format_given && !options_format_fits(o->verb, o->format))
		return option_refuse(message,
				     "%s has no format %s; 'execwatch %s --help' lists them",
				     o->verb->name, o->format->name, o->verb->name);
	if (o->record && o->replay)
		return option_refuse(message, "--record and --replay exclude each other");
	if (o->undo && (o->daemon || o->keepidle))
		return option_refuse(message, "--undo excludes --daemon and --idle");
	if (o->daemon && (o->dry_run || o->choice.pid || o->choice.verdicts))
		return option_refuse(message, "--daemon excludes --dry-run, --pid and --select");
	if ((o->choice.verdicts != 0) + (o->choice.pid != 0) + o->choice.all > 1)
		return option_refuse(message, "--select, --pid and --all exclude each other");
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
	struct option longs[OPTION_ROWS_MAX + 1] = { 0 };
	char shorts[2 * OPTION_ROWS_MAX + 3];
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
			err = option_refuse(message,
					    "option '%s' needs a value; see 'execwatch --help'",
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
