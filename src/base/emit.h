/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every observer puts: "could not be read". */
#ifndef EW_BASE_EMIT_H
#define EW_BASE_EMIT_H

#include <stdint.h>

struct fact_sink;

/*
 * FACT_UNREAD: object could not be read, err (negative errno) says why. pid and cookie name whose
 * evidence is missing, 0 where it is not one process' or one socket's.
 */
void emit_unread(const struct fact_sink *sink, int32_t pid, uint64_t cookie, int err,
		 const char *object_fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same with the reason in words, for damage that has no errno. */
void emit_corrupt(const struct fact_sink *sink, int32_t pid, const char *object,
		  const char *reason);

#endif
