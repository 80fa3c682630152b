/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Specifiers in the settings of a unit: "%i", "%H" (systemd.unit(5), Specifiers; 252). */
#ifndef EW_SYSTEMD_SPECIFIERS_H
#define EW_SYSTEMD_SPECIFIERS_H

#include <stdbool.h>

struct arena;

/* What they stand for: texts of the host; NULL: not known. */
struct specifiers {
	const char *unit;     /* full name: "mesos-agent@a.service"; NULL: nothing is expanded */
	const char *hostname; /* %H, and up to its first dot %l */
	const char *architecture; /* %a: "x86-64" */
	const char *kernel;	  /* %v: of uname(2) */
	const char *machine_id;	  /* %m: 32 hexadecimal digits */
	const char *boot_id;	  /* %b: the same */
	/* Of os-release(5); "": it does not say. */
	const char *os_id, *os_version, *os_build, *os_variant, *image_id, *image_version;
};

/*
 * The text with what its specifiers stand for. What systemd knows and is not known here stays as it
 * is, and *unknown becomes true; what systemd does not know stays too.
 */
const char *specifiers_expand(struct arena *arena, const struct specifiers *specifiers,
			      const char *text, bool *unknown);

#endif
