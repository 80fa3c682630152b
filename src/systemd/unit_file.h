/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The settings of one unit: its file and its drop-ins, merged as systemd does. Syntax:
 * systemd.syntax(7) and systemd shared/conf-parser.c, config_parse() (252). A line that ends in a
 * backslash goes on with the next one, comments between the two are left out; what is no section
 * and no assignment is ignored.
 */
#ifndef EW_SYSTEMD_UNIT_FILE_H
#define EW_SYSTEMD_UNIT_FILE_H

#include <stddef.h>

struct arena;
struct unit_settings;

/* In the arena, which owns all that these functions return. NULL: no memory. */
struct unit_settings *unit_settings_new(struct arena *arena);

/*
 * Adds the text of a file; of several, those that take precedence come later. path names it in
 * struct unit_line.
 */
void unit_settings_add(struct unit_settings *settings, const char *text, size_t len,
		       const char *path);

/* The last assignment that counts; NULL: there is none, or it resets the setting to its default. */
const char *unit_setting(const struct unit_settings *settings, const char *section,
			 const char *key);

struct unit_line {
	const char *value;
	const char *path; /* of the file that has it */
};

/*
 * All assignments of a setting that is a list (ExecStartPre, Environment), in order: an empty one
 * drops those before it. Writes how many there are to *n.
 */
const struct unit_line *unit_setting_list(const struct unit_settings *settings, const char *section,
					  const char *key, size_t *n);

#endif
