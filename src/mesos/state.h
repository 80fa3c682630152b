/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers of the agent's HTTP API: /state and /flags (Mesos slave/http.cpp; 0.28 to 1.11).
 * Structures own their strings: one free function each. Strings are UTF-8 and "" where the answer
 * lacks them.
 */
#ifndef EW_MESOS_STATE_H
#define EW_MESOS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

struct fail;

/*
 * Is this an answer to read on? 0 for 200 with JSON, -EAGAIN while the agent recovers (503 "Agent
 * has not finished recovery"), -EACCES for 401 and 403, -ENOENT for 404 (another version, or routes
 * not up yet), -EPROTO for anything else: other statuses, HTML, garbage.
 */
int mesos_api_check(int status, struct mesos_span body, struct fail *why);

/* Durations: 0 where the flag is absent or not understood. */
struct mesos_flags {
	char *work_dir;
	char *runtime_dir;
	char *launcher;
	int64_t recovery_timeout_ns;	   /* for executors launched from now on */
	int64_t reregistration_timeout_ns; /* 0 before 1.1.3, 1.2.2, 1.3.1: there 2 s, fixed */
	int64_t reregistration_retry_ns;   /* 0: not set */
	uint16_t port;			   /* 0: absent */
	bool http_command_executor;
	bool domain_sockets; /* http_executor_domain_sockets */
};

struct mesos_task {
	char *id;
	char *name;
	char *state; /* "TASK_RUNNING" */
};

struct mesos_executor {
	char *id;
	char *name;
	char *source;
	char *container;
	char *directory;
	struct mesos_task *tasks; /* not over */
	size_t n_tasks;
	size_t n_queued; /* tasks that the executor has not got yet */
	bool completed;
};

struct mesos_framework {
	char *id;
	char *name;
	bool checkpoint;
	bool completed;
	struct mesos_executor *executors; /* running ones first, then the completed */
	size_t n_executors;
};

struct mesos_state {
	char *id;  /* of the agent; "" until it has registered */
	char *pid; /* "slave(1)@10.0.0.7:5051" */
	char *version;
	char *hostname;
	double start_time; /* seconds since 1970; changes when the agent restarts */
	struct mesos_flags flags;
	struct mesos_framework *frameworks;
	size_t n_frameworks;
};

/* All return 0, -ENOMEM, or -EBADMSG with *why: no JSON (where), no UTF-8, or of another shape. */
int mesos_state_parse(struct mesos_span body, struct mesos_state **ret_state, struct fail *why);
void mesos_state_free(struct mesos_state *state);

int mesos_flags_parse(struct mesos_span body, struct mesos_flags **ret_flags, struct fail *why);
void mesos_flags_free(struct mesos_flags *flags);

#endif
