/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command of `run`, reported as facts. It reads from and writes to the terminal as long as that
 * is there, but is the leader of a session of its own: a terminal that hangs up does not end it,
 * and Ctrl-C reaches it only as execwatch forwards it. After a hang-up its reads and writes of the
 * terminal fail (EIO). Over ssh without a terminal it is started with SIGPIPE ignored: writing to a
 * connection that is lost fails (EPIPE), and does not end it.
 */
#ifndef EW_CLI_CHILD_H
#define EW_CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct fact_sink;
struct error;

struct child {
	char *const *argv;
	char *text; /* the command line, quoted as for a shell */
	pid_t pid;  /* 0: not running */
	int status; /* as wait(2) gives it, once it has ended */
};

/* The command line, quoted as for a shell, to be freed; NULL: no memory. */
char *child_text(char *const *argv);

/*
 * Starts the command with the standard descriptors of execwatch; output_to_stderr: its standard
 * output is the standard error of execwatch. Emits FACT_COMMAND "started".
 */
int child_start(struct child *command, char *const *argv, bool output_to_stderr,
		const struct fact_sink *sink, struct error *error);

/* Whether the command has ended; does not block. Emits FACT_COMMAND "ended" once. */
bool child_ended(struct child *command, const struct fact_sink *sink);

void child_free(struct child *command);

#endif
