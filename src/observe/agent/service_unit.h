/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What systemd has loaded for a unit, what its files say, and how the two differ. */
#ifndef EW_OBSERVE_AGENT_SERVICE_UNIT_H
#define EW_OBSERVE_AGENT_SERVICE_UNIT_H

struct arena;
struct fact_service;

/*
 * Fills in all of *service but pid and start, which it reads: asks systemctl for 2 s at most, reads
 * the unit's files, looks for its programs and for container loggers in the unit's cgroup. What
 * cannot be read stays unknown. The texts are the arena's. Not bounded: files may hang.
 */
void service_unit_read(struct arena *arena, const char *unit, const char *cgroup,
		       struct fact_service *service);

#endif
