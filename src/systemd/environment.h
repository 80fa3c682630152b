/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Environments of a service: Environment= and the files that EnvironmentFile= names
 * (systemd.exec(5); systemd basic/env-file.c, parse_env_file_internal(), 252), and files that a
 * shell script reads with "." (/etc/default/mesos-slave).
 */
#ifndef EW_SYSTEMD_ENVIRONMENT_H
#define EW_SYSTEMD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct specifiers;

struct env_var {
	const char *name;
	const char *value;
	const char *source; /* path of the file, or "Environment=" */
	/* The value is not known: of a shell's file it has $ or `, of a unit a specifier that is
	 * not known. */
	bool computed;
	struct env_var *next;
};

struct environment {
	struct arena *arena; /* owns all that is in here */
	struct env_var *first;
};

/* A name that is there already gets the new value. */
void environment_set(struct environment *env, const char *name, const char *value,
		     const char *source, bool computed);
/* NAME, or NAME=VALUE, which is only dropped with that value (systemd.exec(5), UnsetEnvironment=).
 */
void environment_unset(struct environment *env, const char *assignment);
const struct env_var *environment_find(const struct environment *env, const char *name);

/* The words of one Environment= line, "A=1 'B=2 3'". -EINVAL: systemd ignores the line. */
int environment_add_words(struct environment *env, const char *line,
			  const struct specifiers *specifiers, const char *source);

enum environment_syntax {
	ENVIRONMENT_SYSTEMD,
	ENVIRONMENT_SHELL,
	ENVIRONMENT_PLAIN, /* of docker run --env-file: all behind "=" is the value */
};

/* A file. What is no assignment is ignored, as systemd does; in a shell's file too. */
void environment_add_file(struct environment *env, const char *text, size_t len,
			  enum environment_syntax syntax, const char *source);

#endif
