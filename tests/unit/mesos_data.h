/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads tests/data/mesos. Buffers are exactly as long as what is in them: the sanitizer sees a byte
 * too far. */
#ifndef EW_TESTS_MESOS_DATA_H
#define EW_TESTS_MESOS_DATA_H

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mesos/span.h"

#define DATA "tests/data/mesos/"

static inline struct mesos_span data_copy(const void *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, bytes, len);
	return mesos_span_at(copy, len);
}

static inline void data_free(struct mesos_span data)
{
	free((char *)(uintptr_t)data.p);
}

static inline bool data_equal(struct mesos_span a, struct mesos_span b)
{
	if (!a.p || !b.p)
		return !a.p && !b.p;
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static inline struct mesos_span data_read(const char *path)
{
	static char buf[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!file)
		fail_msg("cannot open %s", path);
	len = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	return data_copy(buf, len);
}

/* Calls each(path, bytes) for every file that matches; there must be `expected` of them. */
static inline void data_each(const char *pattern, size_t expected,
			     void (*each)(const char *path, struct mesos_span data))
{
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, expected);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct mesos_span data = data_read(found.gl_pathv[i]);

		each(found.gl_pathv[i], data);
		data_free(data);
	}
	globfree(&found);
}

#define assert_span(span, text)                                                                    \
	do {                                                                                       \
		struct mesos_span span_ = (span);                                                  \
		const char *text_ = (text);                                                        \
		if (!text_) {                                                                      \
			assert_null(span_.p);                                                      \
		} else {                                                                           \
			assert_non_null(span_.p);                                                  \
			assert_int_equal(span_.len, strlen(text_));                                \
			assert_memory_equal(span_.p, text_, span_.len);                            \
		}                                                                                  \
	} while (0)

#endif
