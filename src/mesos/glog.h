/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lines of an executor's log (its sandbox' stderr), as Mesos exec/exec.cpp (v0) and
 * executor/executor.cpp (v1) have written them from 0.28 to 1.12. Tasks write into the same file
 * and can write the same text: a line is a hint, not a proof.
 */
#ifndef EW_MESOS_GLOG_H
#define EW_MESOS_GLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "mesos/span.h"

/* "I1012 16:43:29.363692 35513 exec.cpp:463] text"; "I20261012 16:…" with glog 0.6. Local time. */
struct mesos_glog {
	char severity; /* I W E F */
	uint16_t year; /* 0: not in the line */
	uint8_t month;
	uint8_t day;
	int64_t time_of_day_us; /* since midnight */
	uint32_t tid;
	struct mesos_span file; /* "exec.cpp" */
	uint32_t line;
	struct mesos_span text;
};

/* One line, its end included or not. 0, or -EINVAL. */
int mesos_glog_parse(struct mesos_span line, struct mesos_glog *glog);

enum mesos_log_kind {
	MESOS_LOG_OTHER = 0,	 /* a log line of no interest here */
	MESOS_LOG_VERSION,	 /* detail */
	MESOS_LOG_REGISTERED,	 /* slave_id */
	MESOS_LOG_RECONNECT,	 /* the agent asked to reconnect: slave_id */
	MESOS_LOG_REREGISTERED,	 /* slave_id */
	MESOS_LOG_WAITING,	 /* lost the agent, its clock runs: wait_ns, slave_id (v0) */
	MESOS_LOG_LOST_SHUTDOWN, /* lost the agent, shuts down at once */
	MESOS_LOG_TIMEOUT,	 /* the recovery timeout is over: wait_ns */
	MESOS_LOG_SHUTDOWN,	 /* asked to shut down, or begins to */
	MESOS_LOG_SUBSCRIBED,	 /* v1 events, also of the v0 driver behind its adapter */
	MESOS_LOG_DISCONNECTED,	 /* v1 lost the agent, subscribes again by itself */
	MESOS_LOG_ENDPOINT,	 /* v1: which URL it uses: detail */
};

struct mesos_log {
	enum mesos_log_kind kind;
	struct mesos_glog at;
	struct mesos_span slave_id;
	int64_t wait_ns;	  /* 0: none, or not understood */
	struct mesos_span detail; /* VERSION: "1.12.0"; ENDPOINT: the URL; DISCONNECTED: why */
};

/* 0, or -EINVAL for what is no log line. */
int mesos_log_parse(struct mesos_span line, struct mesos_log *log);

#endif
