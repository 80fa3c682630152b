/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include "buf.h"
#include "http.h"

/* A libprocess message as it goes over the wire (3rdparty/libprocess/src/encoder.hpp). */
struct wire_msg {
	const char *to;	  /* process id at the receiver: "slave(1)" */
	const char *name; /* "mesos.internal.RegisterExecutorMessage" */
	const char *from; /* UPID of the sender: "executor(1)@127.0.0.1:42593" */
	const char *host; /* "127.0.0.1:5051" from Mesos 1.12 on; "" before */
};

void wire_encode(struct buf *out, const struct wire_msg *msg, const struct buf *body);

/* "mesos.internal.NAME" (inside req) if it is such a message to process `to`, else NULL. */
const char *wire_name(const struct http_msg *req, const char *to);

/* One record of a RecordIO stream, "LENGTH\nBYTES", as one HTTP chunk. */
void wire_record_chunk(struct buf *out, const struct buf *record);

/* Takes one record off a RecordIO stream (chunks already undone). As http_take(). */
int wire_take_record(struct buf *in, struct buf *record);

/* A call of a v1 executor: POST /slave(1)/api/v1/executor. host: "ip:port". */
void wire_executor_call(struct buf *out, const char *host, const struct buf *call);

#endif
