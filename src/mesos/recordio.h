/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RecordIO, the body of a v1 SUBSCRIBE response: "<decimal length>\n<bytes>", again and again
 * (stout/recordio.hpp). Fed with pieces cut anywhere.
 */
#ifndef EW_MESOS_RECORDIO_H
#define EW_MESOS_RECORDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

enum mesos_record_kind {
	MESOS_RECORD_MORE = 0, /* all bytes are used up, the record is not complete */
	MESOS_RECORD_DATA,
	MESOS_RECORD_BROKEN, /* no length where one must be: it stays so, there is no way back */
};

struct mesos_record {
	enum mesos_record_kind kind;
	struct mesos_span data; /* its first max bytes; valid until the next call */
	uint64_t len;		/* as announced; more than data.len where it was cut */
};

struct mesos_recordio;

/* Keeps up to max bytes of a record. NULL: no memory. */
struct mesos_recordio *mesos_recordio_new(size_t max);
void mesos_recordio_free(struct mesos_recordio *recordio); /* NULL is fine */

/*
 * Takes bytes up to the end of a record, and returns how many. Call again with the rest until MORE
 * or BROKEN.
 */
size_t mesos_recordio_feed(struct mesos_recordio *recordio, const void *bytes, size_t len,
			   struct mesos_record *record);

#endif
