/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_MODEL_MODEL_PRIVATE_H
#define EW_MODEL_MODEL_PRIVATE_H

#include "model/finding_table.h"
#include "model/judge/executors.h"
#include "model/model.h"
#include "model/store/store.h"

const struct store *model_store(const struct model *model);

/* targets.c: shortest recovery timeout first, forbidden ones last. */
void model_targets_sort(struct model_target *targets, size_t n);

/* report_executors.c */
void report_executors_fill(const struct executors *view, struct report *report);

/* report_appeared.c: adds the executors that came after the baseline. */
void report_appeared_fill(const struct executors *view, struct report *report);
/* report_ended.c: moves those that have ended to the report's ended ones. */
void report_ended_fill(const struct executors *view, struct report *report);

/* report_node.c: after the executors. */
void report_node_fill(const struct executors *view, struct report *report);

/* report_notes.c: after all else of the report has been filled in. */
void report_notes_fill(const struct executors *view, struct report *report);

/* Adds one to the report's findings. Texts live as long as the report. */
void finding_add(const struct store *store, struct report *report, enum finding finding,
		 enum severity severity, const char *evidence, const char *cure);
/* Joined by "; ", the first four of them. */
const char *finding_texts(struct arena *arena, const char *const *texts, size_t n);

/* findings_disk.c: file systems and checkpoints. */
void findings_disk_fill(const struct executors *view, struct report *report);

/* findings_service.c: the unit that runs the agent. */
void findings_service_fill(const struct executors *view, struct report *report);
/* The shortest recovery timeout of an executor of this agent, ns; 0: none is known. */
int64_t executors_shortest_recovery(const struct executors *view);
/* findings_network.c, findings_docker.c, findings_timeouts.c */
void findings_network_fill(const struct executors *view, struct report *report);
void findings_docker_fill(const struct executors *view, struct report *report);
void findings_timeouts_fill(const struct executors *view, struct report *report);
/* findings_damage.c: damaged checkpoints. */
void findings_damage_fill(const struct executors *view, struct report *report);

/* findings_recovery.c: an agent that ends within its recovery. */
void findings_recovery_fill(const struct executors *view, struct report *report);

/* findings_next.c: what the next start changes. */
void findings_next_fill(const struct executors *view, struct report *report);

/* report_findings.c */
void report_findings_fill(const struct executors *view, struct report *report);

/* What happened to the agent between two audits: a clause; NULL: it is the same process. */
const char *model_agent_change(const struct report *planned, const struct report *now);

#endif
