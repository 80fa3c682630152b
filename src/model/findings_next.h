/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the findings about the next start share. */
#ifndef EW_MODEL_FINDINGS_NEXT_H
#define EW_MODEL_FINDINGS_NEXT_H

#include "mesos/agent_items.h"
#include "mesos/flag_table.h"
#include "model/model_private.h"

struct next_subject {
	const struct store *store;
	const struct executors *view;
	struct report *report;
	struct arena *arena;
	const struct agent *agent;
	const struct fact_next_start *next;
	struct mesos_version version; /* that starts: as named, else the running one's */
	bool has_version;
};

/* findings_next_values.c: */
/* NULL: it is not given, or could not be read. */
const char *next_known_value(const struct fact_flag *flag);
/* The value that the flag will have, its default included; NULL: not known, or none. */
const char *next_value(const struct next_subject *s, const char *name);
/* The one that the running agent has. */
const char *running_value(const struct next_subject *s, const char *name);
enum ew_tri next_changes(const struct next_subject *s, const char *name);
bool next_is_true(const char *value);

void next_finding(const struct next_subject *s, enum finding finding, enum severity severity,
		  const char *evidence, const char *cure);
/* "--work_dir is /a, and will be /b (/etc/mesos-slave/work_dir)." */
const char *next_change_text(const struct next_subject *s, const char *name);

/* findings_next_refused.c: a start that ends at once. */
void next_refused_fill(const struct next_subject *s);
/* findings_next_containers.c: containers that the next agent does not recover. */
void next_containers_fill(const struct next_subject *s);
/* findings_next_info.c: against slave.info. */
void next_info_fill(const struct next_subject *s);

#endif
