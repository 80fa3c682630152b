/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the fields of one protobuf message, without a schema and without going deeper: a nested
 * message is bytes, to be read by itself. Format: protobuf.dev/programming-guides/encoding.
 */
#ifndef EW_MESOS_PROTOBUF_H
#define EW_MESOS_PROTOBUF_H

#include <stdbool.h>
#include <stdint.h>

#include "mesos/span.h"

enum protobuf_type {
	PROTOBUF_VARINT = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2,
	PROTOBUF_FIXED32 = 5,
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t value;		 /* VARINT, FIXED64, FIXED32 */
	struct mesos_span bytes; /* BYTES */
	bool cut;		 /* BYTES: the input ends first; bytes is what there is */
};

/*
 * Takes the next field off the front of *message. Returns 1, 0 at its end, -EBADMSG for bytes that
 * are no protobuf (groups, gone since proto2, count as such), -ENODATA where the input ends inside
 * a field (for BYTES only after the field was handed out with cut set).
 */
int protobuf_next(struct mesos_span *message, struct protobuf_field *field);

/*
 * The last BYTES field with that number (as protobuf reads what should occur once), whole; nothing
 * without one, or where it is cut. Reads as far as it can.
 */
struct mesos_span protobuf_bytes(struct mesos_span message, uint32_t number);

/* The same for a field that is a message {1: text}, as all Mesos ids are. */
struct mesos_span protobuf_id(struct mesos_span message, uint32_t number);

/* The last VARINT with that number, or fallback. */
uint64_t protobuf_varint(struct mesos_span message, uint32_t number, uint64_t fallback);

/* The last FIXED64 with that number, as a double; 0 without one. */
double protobuf_double(struct mesos_span message, uint32_t number);

/* Reads to the end without looking in: 0, -EBADMSG or -ENODATA. */
int protobuf_check(struct mesos_span message);

#endif
