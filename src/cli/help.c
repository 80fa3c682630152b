/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/help.h"

#include <string.h>

#include "cli/options.h"
#include "show/format.h"

#define ABOUT                                                                                      \
	"Restart a Mesos agent without losing a task: find the executors whose connection to "     \
	"the\n"                                                                                    \
	"agent is dead or may be, make them drop it, and watch until each is registered again."

static const char *const groups[GROUP_COUNT] = {
	[GROUP_AGENT] = "which agent", [GROUP_CHOICE] = "which executors",
	[GROUP_ACT] = "acting",	       [GROUP_WAIT] = "limits of time",
	[GROUP_FILES] = "files",       [GROUP_OBSERVERS] = "observers",
	[GROUP_OUTPUT] = "output",
};

static const char *const exits[4] = {
	"all is well",
	"something needs attention and can be treated",
	"something is lost or will be",
	"cannot be known: no permission, no agent, events lost, interrupted",
};

static void usage_write(FILE *out, const struct verb *verb)
{
	if (!verb)
		fputs("usage: execwatch VERB [options] [-- CMD...]\n", out);
	else
		fprintf(out, "usage: execwatch %s [options]%s\n", verb->name,
			verb->takes_command ? " -- CMD..." : "");
}

static void verbs_write(FILE *out)
{
	fputs("\nverbs ('execwatch VERB --help' tells more):\n", out);
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "  %-10s %s\n", v->name, v->summary);
}

static void option_write(FILE *out, const struct option_row *row)
{
	char left[40];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s", row->letter ? '-' : ' ',
		 row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
		 row->value ? " " : "", row->value ? row->value : "");
	fprintf(out, "  %-26s %s\n", left, row->help);
}

static void group_write(FILE *out, enum option_group group, const struct verb *verb)
{
	bool titled = false;

	for (const struct option_row *row = option_rows; row->name; row++) {
		if (row->group != group || (verb && !(row->verbs & verb->bit)))
			continue;
		if (!titled)
			fprintf(out, "\n%s:\n", groups[group]);
		titled = true;
		option_write(out, row);
	}
}

static void formats_write(FILE *out, const struct verb *verb)
{
	fputs("\nformats:\n", out);
	for (const struct formatter *f = formatters; f->name; f++)
		if (!verb || options_format_fits(verb, f))
			fprintf(out, "  %-26s %s\n", f->name, f->summary);
}

static void exits_write(FILE *out, const struct verb *verb)
{
	const char *const *meaning = verb ? verb->exits : exits;

	fputs("\nexit codes:\n", out);
	for (int code = 0; code < 4; code++)
		if (meaning[code])
			fprintf(out, "  %-3d %s\n", code, meaning[code]);
	fputs("  64  wrong use of the command line\n", out);
	if (!verb || verb->acts || verb->bit == DOCTOR)
		fputs("  75  another execwatch is acting on this host\n", out);
}

static void examples_write(FILE *out, const struct verb *verb)
{
	fputs(verb ? "\nexample:\n" : "\nexamples:\n", out);
	for (const struct verb *v = verbs; v->name; v++)
		if (!verb || verb == v)
			fprintf(out, "  %s\n", v->example);
}

void help_write(FILE *out, const struct verb *verb)
{
	usage_write(out, verb);
	fprintf(out, "\n%s\n", verb ? verb->details : ABOUT);
	if (!verb)
		verbs_write(out);
	for (int group = 0; group < GROUP_COUNT; group++)
		group_write(out, (enum option_group)group, verb);
	formats_write(out, verb);
	exits_write(out, verb);
	examples_write(out, verb);
}
