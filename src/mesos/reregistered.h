/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The message by which an agent tells a v0 executor that it is registered again:
 * ExecutorReregisteredMessage {1: SlaveID, 2: SlaveInfo} of messages.proto
 * (0.28.3:599, 1.11.0:925), framed as by libprocess src/encoder.hpp. The driver sets `connected`
 * and drops its recovery timer (exec.cpp, reregistered(): 0.28.3:240, 1.11.0:260).
 */
#ifndef EW_MESOS_REREGISTERED_H
#define EW_MESOS_REREGISTERED_H

#include <stddef.h>
#include <stdint.h>

#define MESOS_REREGISTERED_MAX 2048

struct mesos_reregistered {
	const char *agent;    /* UPID of the agent, "slave(1)@10.0.0.7:5051" */
	const char *id;	      /* of the executor's process, "executor(1)" */
	const char *slave_id; /* the agent's */
	const char *hostname; /* SlaveInfo's one required field */
	uint16_t port;	      /* the agent's */
};

/*
 * Writes the request into buf, MESOS_REREGISTERED_MAX bytes. It has Libprocess-From and no
 * User-Agent: a libprocess before 1.4 answers only a request whose User-Agent is not its own
 * (process.cpp, 0.28.3:2343). Returns its length; 0 when it does not fit or a text is empty, holds
 * a control character or, for id, a slash.
 */
size_t mesos_reregistered(const struct mesos_reregistered *message, char *buf);

#endif
