/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the fuzz targets of the parsers share. */
#ifndef EW_FUZZ_MESOS_H
#define EW_FUZZ_MESOS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(int condition)
{
	if (!condition)
		abort();
}

/* What a parser hands out lies within what it was given, or is nothing. */
static inline void must_lie_in(struct mesos_span span, const void *bytes, size_t len)
{
	const char *first = bytes;

	if (!span.p)
		must(span.len == 0);
	else
		must(span.p >= first && span.len <= len &&
		     (size_t)(span.p - first) <= len - span.len);
}

#endif
