/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line: one table of options, the same for every verb. */
#ifndef EW_CLI_OPTIONS_H
#define EW_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "act/inject/inject_api.h"
#include "base/agent_ports.h"
#include "model/model.h"

/* When `run` treats links. */
enum treat_when { TREAT_BOTH, TREAT_BEFORE, TREAT_GUARD };

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct formatter;
struct time_bound;
struct verb;

struct options {
	const struct verb *verb;    /* NULL with help or version */
	uint16_t port;		    /* that the agent listens on (cli/agent_port.h) */
	struct agent_ports earlier; /* of its last baseline, where no agent runs; else all 0 */
	const char *work_dir;	    /* NULL: to be found */
	const char *agent_url;
	const char *master_url;
	const char *netns;   /* pid or path; NULL: our own */
	const char *ca_file; /* NULL: the system's */
	const char *credential_file;
	const struct formatter *format;
	bool format_given;
	const char *record;
	const char *replay;
	const char *baseline;
	const char *state_dir;
	const char *run_dir;
	enum inject_method method;
	struct model_choice choice;
	enum treat_when treat;
	enum model_until until;
	int64_t until_ns;		      /* a duration instead of until; 0: not given */
	int64_t master_timeout;		      /* ns */
	int64_t timeout;		      /* ns, for a verb that is bounded */
	int64_t horizon;		      /* ns; 0: each executor's recovery timeout */
	const char *next_version, *next_unit; /* NULL: not given */
	const char *next_env[16];
	size_t n_next_env;
	char ignored[512]; /* ids of findings, with commas */
	uint32_t accepted; /* bits 1 << enum verdict: losses that the gate lets pass */
	bool no_bpf;
	bool clean;
	bool keep;	 /* the observers stay in the kernel when the verb ends */
	bool undo;	 /* protect: restore the keepalive of before */
	bool daemon;	 /* protect: go on with executors that register later */
	int64_t hold_at; /* run: hold who still waits so long after the link ended, ns; 0: nobody */
	int64_t keepidle; /* protect: TCP_KEEPIDLE, ns; 0: by the entry */
	bool dry_run;
	bool yes;
	bool quiet;
	bool verbose;
	enum colour colour;
	bool help;
	bool version;
	uint64_t restricted;	  /* bits of option_rows[]: given, and not every verb takes them */
	struct time_bound *bound; /* NULL: none */
	bool *reported;		  /* set when the report has been written */
	char *const *command;	  /* behind --; NULL: none */
};

/* One bit for each verb, in the order of verbs[]. */
enum verb_bit {
	DOCTOR = 1 << 0,
	AUDIT = 1 << 1,
	SHUTDOWN = 1 << 2,
	PROTECT = 1 << 3,
	HOLD = 1 << 4,
	WATCH = 1 << 5,
	VERIFY = 1 << 6,
	RUN = 1 << 7,
	GUARD = 1 << 8,
	REPORT = 1 << 9,
};

struct verb {
	enum verb_bit bit;
	const char *name;
	const char *summary;  /* one line of help */
	const char *details;  /* a paragraph of help */
	const char *example;  /* a command line */
	const char *exits[4]; /* what the exit codes 0 to 3 mean; NULL: it does not end with it */
	bool takes_command;
	bool acts;    /* asks on a terminal, wants --yes without one */
	bool guards;  /* waits for the agent's restart, and may arm a guard */
	bool bounded; /* ends within --timeout (cli/time_bound.h) */
	bool watches; /* the observers stay in the kernel when execwatch is killed */
	int (*run)(const struct options *options); /* returns an exit code */
};

/* The verbs, ended by one without a name (cli/verbs.c). */
extern const struct verb verbs[];

/* Options are listed by group in --help. */
enum option_group {
	GROUP_AGENT,
	GROUP_CHOICE,
	GROUP_ACT,
	GROUP_WAIT,
	GROUP_FILES,
	GROUP_OBSERVERS,
	GROUP_OUTPUT,
	GROUP_COUNT,
};

struct option_row {
	char letter; /* 0: has a long name only */
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;
	enum option_group group;
	unsigned int verbs; /* enum verb_bit: those that use it */
	bool only;	    /* refused by the others; else it has no effect there */
	int (*parse)(struct options *o, const char *value, char *message);
	size_t text, flag; /* offsets in struct options, without parse */
	bool is_text;
};

/* The options, ended by one without a name; OPTION_ROWS_MAX at most. */
extern const struct option_row option_rows[];
#define OPTION_ROWS_MAX 64

/* Can the verb's result be written in this format? */
bool options_format_fits(const struct verb *verb, const struct formatter *format);

/* Returns 0, or -EINVAL with the text to print in message (512 bytes). argv is permuted. */
int options_parse(int argc, char **argv, struct options *options, char *message);

#endif
