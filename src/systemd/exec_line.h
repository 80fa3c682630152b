/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Command lines of a service: ExecStart=, ExecStartPre=, ExecStop= (systemd.service(5)). */
#ifndef EW_SYSTEMD_EXEC_LINE_H
#define EW_SYSTEMD_EXEC_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct environment;
struct specifiers;

struct exec_line {
	const char *program;	 /* as it stands: "/usr/sbin/mesos-slave", "sleep" */
	const char *const *argv; /* without argv[0] */
	size_t n;
	bool ignores_failure; /* "-" */
	bool literal;	      /* ":": variables are not expanded */
	bool unknown;	      /* it has a % specifier whose value is not known here */
};

/*
 * Parses the value of a setting, each word with its specifiers expanded.
 * Returns 0; -EINVAL: systemd refuses such a line, and the unit with it; -ENOMEM.
 */
int exec_line_parse(struct arena *arena, const char *value, const struct specifiers *specifiers,
		    struct exec_line *line);

/*
 * Expands ${NAME} anywhere, and a word $NAME to the words of its value, as systemd does before it
 * runs the program (basic/env-util.c, replace_env_argv()). Names that env lacks become nothing.
 */
int exec_line_expand(struct arena *arena, const struct environment *env, struct exec_line *line);

#endif
