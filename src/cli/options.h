/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line: one table of options, the same for every verb. */
#ifndef EW_CLI_OPTIONS_H
#define EW_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "act/inject/inject_api.h"
#include "model/model.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_NAGIOS };
enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct verb;

struct options {
	const struct verb *verb; /* NULL with help or version */
	uint16_t port;
	const char *work_dir; /* NULL: to be found */
	const char *agent_url;
	const char *netns; /* pid or path; NULL: our own */
	const char *credential_file;
	enum format format;
	bool format_given;
	const char *record;
	const char *replay;
	const char *baseline;
	const char *state_dir;
	const char *run_dir;
	enum inject_method method;
	struct model_choice choice;
	bool choice_given;
	enum model_until until;
	int64_t until_ns;	/* a duration instead of until; 0: not given */
	int64_t master_timeout; /* ns */
	int64_t horizon;	/* ns; 0: each executor's recovery timeout */
	uint32_t accepted;	/* bits 1 << enum verdict: losses that the gate lets pass */
	bool no_bpf;
	bool clean;
	bool keep; /* its observers outlive its orderly end as well */
	bool dry_run;
	bool yes;
	bool quiet;
	bool verbose;
	enum colour colour;
	bool help;
	bool version;
	bool *reported;	      /* set when the report has been written */
	char *const *command; /* behind --; NULL: none */
};

struct verb {
	const char *name;
	const char *summary; /* one line of help */
	bool takes_command;
	bool acts;				   /* asks on a terminal, wants --yes without one */
	bool watches;				   /* its observers outlive its sudden end */
	int (*run)(const struct options *options); /* returns an exit code */
};

/* The verbs, ended by one without a name (cli/verbs.c). */
extern const struct verb verbs[];

/* Returns 0, or -EINVAL with the message to print in message (512 bytes). argv is permuted.
 */
int options_parse(int argc, char **argv, struct options *options, char *message);

/* Help for all, or for one verb. */
void options_help(FILE *out, const struct verb *verb);

#endif
