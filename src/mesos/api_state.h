/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers of the agent's HTTP API: /state and /flags (Mesos slave/http.cpp; 0.28 to 1.11), read as
 * they arrive: of the megabytes that thousands of executors make, only what is asked for is kept.
 *
 * Texts are bytes as the agent sent them, without JSON's escapes: Mesos writes what a framework has
 * chosen as it is, UTF-8 or not. A NUL ends a text, as it ends it in an environment.
 */
#ifndef EW_MESOS_API_STATE_H
#define EW_MESOS_API_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/flag_table.h"
#include "mesos/span.h"

struct error;

/*
 * Is this an answer to read on? body may be only its beginning. 0 for 200 with JSON, -EAGAIN while
 * the agent recovers (503 "Agent has not finished recovery"), -EACCES for 401 and 403, -ENOENT for
 * 404 (another version, or routes not up yet), -EPROTO for anything else: other statuses, HTML,
 * garbage.
 */
int api_status_check(int status, struct mesos_span body, struct error *error);

struct mesos_flags {
	const char *work_dir;
	const char *acls;	 /* rules of access */
	const char *authorizers; /* modules that decide on access; "local": the agent's own */
	const char *strict;	 /* "true", "false" */
	/* Durations: 0 where the flag is absent or not understood. */
	int64_t recovery_timeout_ns;	   /* for executors launched from now on */
	int64_t reregistration_timeout_ns; /* 0 before 1.1.3, 1.2.2, 1.3.1: there 2 s, fixed */
	const char *watched[MESOS_FLAGS_WATCHED]; /* as in mesos_flag_table[]; NULL: it lacks it */
};

struct mesos_task {
	const char *id;
	const char *name;
	const char *state; /* "TASK_RUNNING" */
	double timestamp;  /* of its last status, seconds since 1970; 0: none */
	struct mesos_task *next;
};

struct mesos_executor {
	const char *id;
	const char *container;
	bool completed;
	struct mesos_task *tasks; /* that are not over */
	size_t n_tasks;
	struct mesos_task *ended; /* that are: completed, or waiting for the framework's word */
	struct mesos_executor *next;
};

struct mesos_framework {
	const char *id;
	bool completed; /* and so are all its executors */
	struct mesos_executor *executors;
	struct mesos_framework *next;
};

/* Lists are in the order of the answer. Texts are "" where it lacks them. */
struct mesos_state {
	const char *id; /* of the agent; "" until it has registered */
	const char *version;
	const char *pid;   /* its UPID, "slave(1)@10.0.0.7:5051": the address that it advertises */
	double start_time; /* above 0, seconds since 1970; changes when the agent restarts */
	struct mesos_flags flags;
	struct mesos_framework *frameworks;
};

enum mesos_endpoint { MESOS_STATE, MESOS_FLAGS };

/* One answer, on its way or complete; owns all that was read of it. */
struct api_state;

struct api_state *api_state_new(enum mesos_endpoint endpoint); /* NULL: no memory */
void api_state_free(struct api_state *answer);

/* The next bytes of its body. What is wrong with them is told at the end. */
void api_state_feed(struct api_state *answer, struct mesos_span piece);

/*
 * There are no more. 0 with what it says, which lives as long as the answer (of /flags: the flags
 * alone); -ENOMEM, or -EBADMSG with *error: no JSON (where), or of another shape,
 * also where its id or start_time is missing.
 */
int api_state_end(struct api_state *answer, const struct mesos_state **ret_state,
		  struct error *error);

#endif
