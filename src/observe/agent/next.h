/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of observe/agent/next_start.c share. Texts are the arena's. */
#ifndef EW_OBSERVE_AGENT_NEXT_H
#define EW_OBSERVE_AGENT_NEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text_list.h"
#include "mesos/flag_table.h"
#include "mesos/span.h"
#include "observe/agent/next_start.h"
#include "systemd/environment.h"
#include "systemd/specifiers.h"

struct arena;
struct exec_line;
struct fact_agent;
struct fact_service;
struct fact_sink;

enum { NEXT_ITEMS_MAX = 128 * 1024, NEXT_VALUE_MAX = 64 * 1024 };

struct next_flag {
	const char *value; /* NULL: not given */
	const char *source;
	const char *problem; /* why the value is not known; "": it is */
	bool on_command_line;
};

struct next {
	struct arena *arena;
	const struct fact_agent *agent;
	const struct next_start_options *options;
	const char *root; /* in front of the paths that systemd reads */
	/* In front of the paths that the agent reads: its own root; NULL: not known. */
	const char *agent_root;
	struct specifiers specifiers;
	struct environment env;
	struct next_flag flags[MESOS_FLAGS_WATCHED];
	struct text_list names; /* of flags on the command line */
	struct text_list sources, missing, twice;
	const char *program;
	/* The unit that starts it, where it is not the running agent's as it stands; NULL: it is.
	 */
	struct fact_service *service;
	const char *problem; /* why flags may be missing; NULL: none is */
};

/* ---- next_files.c ---- */
const char *next_base_of(const char *path);
bool next_is_agent(const char *path);
/* A file that the next start needs cannot be read: "--credential=/x" and why. */
void next_missing_add(struct next *next, const char *what, int err);
/* A file that systemd reads, its name noted. Returns 0 or a negative errno. */
int next_file_read(struct next *next, const char *path, const char **text, size_t *len);
/* One that the agent reads, or its wrapper. -EACCES also where its root is not known. */
int next_agent_file_read(struct next *next, const char *path, const char **text, size_t *len);
/* Its path from here; NULL: not known, or it does not exist. */
const char *next_agent_path(struct next *next, const char *path);

/* ---- next_flags.c ---- */
/*
 * --NAME=VALUE, --NAME, --no-NAME; all else is passed over. problem: why its text is not the value
 * that the agent will get; NULL: it is.
 */
void next_argument_add(struct next *next, const char *argument, const char *source,
		       const char *problem);
/* To be called when all arguments have been added: the command line wins. */
void next_flags_of_environment(struct next *next);
/* Are the files there that its flags name? */
void next_named_files_check(struct next *next);

/* ---- next_wrapper.c, next_program.c, next_unit.c ---- */
void next_wrapper_add(struct next *next, const struct exec_line *line);
void next_program_add(struct next *next, const struct exec_line *line, const char *source);
/* what: in front of its path in a text about it, "EnvironmentFile=". */
void next_env_file_add(struct next *next, const char *path, const char *what, bool optional);
/* unit: of the running agent, unless the options name one. */
void next_unit_add(struct next *next, const char *unit);

/* ---- next_manager.c ---- */
/* What systemd itself gives to every service, and the variables of its own that it passes on. */
void next_manager_environment_add(struct next *next, const struct text_list *passed);

/* ---- next_running.c ---- */
/* The running agent's own environment and command line are taken for the next start. */
void next_running_add(struct next *next);
/* FACT_FLAG for each flag that the running agent was given. */
void next_running_emit(struct next *next, const struct fact_sink *sink);
/* Row i of mesos_flag_table. when: "running", "next". */
void next_flag_emit(const struct next *next, const char *when, size_t i,
		    const struct next_flag *flag, const struct fact_sink *sink);

#endif
