/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The agent's flags that decide whether a restart keeps the executors: names, defaults and since
 * when a version knows them (Mesos slave/flags.cpp, master/constants.hpp; 0.28 to 1.11).
 */
#ifndef EW_MESOS_FLAG_TABLE_H
#define EW_MESOS_FLAG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "mesos/version.h"

enum mesos_flag_kind {
	MESOS_FLAG_TEXT,
	MESOS_FLAG_DURATION,
	MESOS_FLAG_BOOL,
	MESOS_FLAG_LIST, /* with commas; the order does not count */
	MESOS_FLAG_PATH, /* file:// names the file itself, whose content is no business of ours */
};

struct mesos_flag {
	const char *name;
	enum mesos_flag_kind kind;
	const char *preset; /* its default; NULL: none, or one that depends on the host */
	const char *alias;  /* an older or newer name of the same flag; NULL: none */
	bool (*known)(const struct mesos_version *version); /* NULL: to every version */
	/*
	 * libprocess' own variable that counts where the flag is not given (slave/main.cpp sets it
	 * from the flag); name for what has no flag; NULL: none.
	 */
	const char *variable;
};

enum { MESOS_FLAGS_WATCHED = 38 }; /* rows of the table */

extern const struct mesos_flag mesos_flag_table[MESOS_FLAGS_WATCHED];

/* By name or alias; NULL: it is not one of them. */
const struct mesos_flag *mesos_flag_find(struct mesos_span name);
/*
 * By the name of an environment variable: MESOS_WORK_DIR, LIBPROCESS_IP, SSL_ENABLED; behind the
 * prefix in capitals or not (stout flags/flags.hpp, extract()). NULL: it is none of them.
 */
const struct mesos_flag *mesos_flag_of_variable(const char *name);
/* Is it a variable of libprocess alone, which has no flag? */
bool mesos_flag_is_variable(const struct mesos_flag *flag);

/*
 * A value in a form that compares: durations in ns, lists sorted. Writes to buf; returns it, or
 * value itself where it cannot be read or does not fit.
 */
const char *mesos_flag_canonical(const struct mesos_flag *flag, const char *value, char *buf,
				 size_t size);

#endif
