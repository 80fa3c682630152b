/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `doctor` found, for people and as the document execwatch.doctor/1
 * (schema/doctor.schema.json). */
#ifndef EW_SHOW_DOCTOR_H
#define EW_SHOW_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum check_state { CHECK_OK, CHECK_DEGRADED, CHECK_MISSING };

struct check {
	const char *name;
	enum check_state state;
	const char *detail; /* what was found */
	const char *cure;   /* "" when it is in order; text and commands as in model/report.h */
};

struct checkup {
	const char *tool;
	const char *host;
	const char *boot_id;
	int64_t generated; /* wall ns */
	const struct check *checks;
	size_t n;
	bool audit, shutdown, watch; /* can it work here? */
	int exit_code;
};

/* All return 0 or a negative errno, of a full disk or a closed pipe as well. */
int doctor_table_write(FILE *file, const struct checkup *checkup, int width, bool color);
int doctor_nagios_write(FILE *file, const struct checkup *checkup);
int doctor_document_write(FILE *file, const struct checkup *checkup, bool indented);

#endif
