/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of units: "mesos-agent.service", "mesos-agent@a.service" (systemd basic/unit-name.c, 252).
 */
#ifndef EW_SYSTEMD_UNIT_NAME_H
#define EW_SYSTEMD_UNIT_NAME_H

#include "base/text_list.h"

struct arena;

/* "mesos-agent@.service" of "mesos-agent@a.service"; NULL: it is no instance. */
const char *unit_name_template(struct arena *arena, const char *name);

/* "mesos-agent@a.service" of the template "mesos-agent@.service" and the instance's name
 * "other@a.service"; NULL: one of the two is not of that kind. */
const char *unit_name_instance(struct arena *arena, const char *template, const char *instance);

/* In front of "@", or of the last dot: "mesos-agent". */
const char *unit_name_prefix(struct arena *arena, const char *name);
/* Between "@" and the last dot; "": there is none. */
const char *unit_name_instance_part(struct arena *arena, const char *name);
/* "-" is "/", "\x2d" is a byte by its number. */
const char *unit_name_unescape(struct arena *arena, const char *part);

/*
 * Adds the names whose directories NAME.d hold drop-ins of the unit, the most important one first:
 * of "mesos-agent@a.service" that itself, "mesos-agent@.service", "mesos-.service",
 * "mesos-@a.service", "mesos-@.service" (shared/dropin.c, unit_file_find_dirs()). "service.d",
 * which all units of a type have, is not among them.
 */
void unit_name_drop_ins(struct arena *arena, const char *name, struct text_list *names);

#endif
