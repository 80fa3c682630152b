/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the specifiers of units stand for on this host. */
#ifndef EW_OBSERVE_AGENT_UNIT_HOST_H
#define EW_OBSERVE_AGENT_UNIT_HOST_H

struct arena;
struct specifiers;

/*
 * Fills in the specifiers of a unit. root is in front of the paths of files ("": this host). What
 * cannot be read stays NULL. Texts are the arena's.
 */
void unit_host_fill(struct arena *arena, const char *root, const char *unit,
		    struct specifiers *specifiers);

#endif
