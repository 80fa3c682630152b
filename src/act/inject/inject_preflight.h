/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What must hold of a target by whatever method. */
#ifndef EW_ACT_INJECT_INJECT_PREFLIGHT_H
#define EW_ACT_INJECT_INJECT_PREFLIGHT_H

#include <sys/types.h>

struct inject_report;
struct inject_target;

struct inject_subject {
	pid_t live; /* a thread whose /proc files can be read: pid, unless its first thread ended */
	int copy;   /* of the descriptor, checked; -1: this kernel cannot copy one */
};

/*
 * Checks the process's identity and that its descriptor is the socket that is meant. On success the
 * caller closes ret->copy. Returns 0, or a negative errno with the report filled.
 */
int inject_preflight(const struct inject_target *t, struct inject_subject *ret,
		     struct inject_report *rep);

#endif
