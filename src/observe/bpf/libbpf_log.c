/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/libbpf_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/bpf/libbpf.h"

/* libbpf's callback has no context, and is one for the whole process; so is this. */
static void (*log_line)(const char *line);

static int __attribute__((format(printf, 2, 0)))
print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text, *rest, *line;

	if (!log_line || level == LIBBPF_DEBUG || vasprintf(&text, fmt, args) < 0)
		return 0;
	rest = text; /* the verifier's log comes as one text of many lines */
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_line(line);
	free(text);
	return 0;
}

void ew_libbpf_log_to(void (*log)(const char *line))
{
	log_line = log;
	libbpf_set_print(print);
}

void ew_libbpf_log_default(void)
{
	libbpf_set_print(print);
}
