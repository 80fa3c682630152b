/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of observe/agent/service_unit.c share. Texts are the arena's. */
#ifndef EW_OBSERVE_AGENT_UNIT_PARTS_H
#define EW_OBSERVE_AGENT_UNIT_PARTS_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct fact_service;
struct loaded_unit;
struct text_list;

enum { UNIT_COMMAND_KEYS = 6 };

/* ExecCondition, ExecStartPre, ExecStart, ExecReload, ExecStop, ExecStopPost. */
extern const char *const unit_command_keys[UNIT_COMMAND_KEYS];

/* "KillSignal=SIGTERM"; kill and restart as the settings have them, restart NULL: it is not set. */
void unit_signals_add(struct arena *arena, const char *kill, const char *restart,
		      struct text_list *steps);

/* A time span in ns; 0: it is none, or NULL. */
int64_t unit_span(const char *text);

/* ---- unit_loaded.c: what systemd has loaded ---- */
/* NULL: systemd does not run here, or does not know the unit. Takes 2 s at most. */
const char *unit_loaded_ask(struct arena *arena, const char *unit);
void unit_loaded_fill(struct arena *arena, const char *answer, struct fact_service *service);

/* ---- unit_files.c: what the files say ---- */
/* root: in front of the paths of programs ("": this host). */
void unit_files_fill(struct arena *arena, const char *root, const struct loaded_unit *unit,
		     struct fact_service *service);
/* Where systemd cannot be asked; after unit_files_fill(). */
void unit_files_as_loaded(const struct loaded_unit *unit, struct fact_service *service);

/* ---- unit_differs.c: how the two differ ---- */
/* To be called last. answer: of unit_loaded_ask(). */
void unit_differs_fill(struct arena *arena, const char *answer, const struct loaded_unit *files,
		       struct fact_service *service);

/* ---- unit_loggers.c: container loggers in the unit's cgroup ---- */
void unit_loggers_fill(struct arena *arena, const char *cgroup, struct fact_service *service);

#endif
