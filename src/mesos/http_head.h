/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start line and headers of an HTTP/1.x message, whole or only begun. */
#ifndef EW_MESOS_HTTP_HEAD_H
#define EW_MESOS_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "mesos/span.h"

struct http_start {
	bool response;
	uint16_t status;	  /* response */
	struct mesos_span reason; /* response */
	struct mesos_span method; /* request */
	struct mesos_span path;	  /* request; begins with '/' */
};

/*
 * head begins with the start line; what follows its '\n' is not looked at. Without a '\n' the line
 * is only begun: it is understood if it reaches behind the path or status. 0, or -EINVAL.
 */
int http_start_parse(struct mesos_span head, struct http_start *start);

/* The value of a header (its name in any case, without ':') without blanks around; else nothing. */
struct mesos_span http_head_value(struct mesos_span head, const char *name);

bool http_head_is(struct mesos_span head, const char *name, const char *value);

/* A chunk's first line: hexadecimal digits, extensions ignored. False for anything else. */
bool http_chunk_size(struct mesos_span line, uint64_t *size);

#endif
