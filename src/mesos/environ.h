/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an agent told a process by its environment (/proc/PID/environ). Variables: Mesos
 * slave/containerizer/containerizer.cpp and slave.cpp, executorEnvironment(); how the driver reads
 * them: exec/exec.cpp, executor/executor.cpp.
 *
 * It does not tell executors from their tasks, which inherit it. An executor has SLAVE_PID,
 * FRAMEWORK_ID and EXECUTOR_ID at least: the v0 driver ends itself without them.
 */
#ifndef EW_MESOS_ENVIRON_H
#define EW_MESOS_ENVIRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "mesos/span.h"
#include "mesos/upid.h"

/* Bits of seen and bad. */
enum mesos_env_var {
	MESOS_ENV_SLAVE_PID = 1 << 0,
	MESOS_ENV_AGENT_ENDPOINT = 1 << 1,
	MESOS_ENV_SLAVE_ID = 1 << 2,
	MESOS_ENV_FRAMEWORK_ID = 1 << 3,
	MESOS_ENV_EXECUTOR_ID = 1 << 4,
	MESOS_ENV_DIRECTORY = 1 << 5,
	MESOS_ENV_SANDBOX = 1 << 6,
	MESOS_ENV_CHECKPOINT = 1 << 7,
	MESOS_ENV_RECOVERY_TIMEOUT = 1 << 8,
	MESOS_ENV_SHUTDOWN_GRACE = 1 << 9,
	MESOS_ENV_BACKOFF_MAX = 1 << 10,
	MESOS_ENV_HTTP_COMMAND_EXECUTOR = 1 << 11,
	MESOS_ENV_DOMAIN_SOCKET = 1 << 12,
	MESOS_ENV_NATIVE_LIBRARY = 1 << 13,
	MESOS_ENV_TLS = 1 << 14,
	MESOS_ENV_TLS_DOWNGRADE = 1 << 15,
	MESOS_ENV_LIBPROCESS_IP = 1 << 16,
	MESOS_ENV_CONTAINERIZER = 1 << 17,
	MESOS_ENV_LOCAL = 1 << 18,
	MESOS_ENV_TLS_OLD = 1 << 19, /* without LIBPROCESS_, as first named */
	MESOS_ENV_TLS_OLD_DOWNGRADE = 1 << 20,
	MESOS_ENV_PEER_MATCH = 1 << 21,
};

/* Every span but container_id is followed by a NUL in the buffer: usable as a string. */
struct mesos_env {
	uint32_t seen;	/* variables that are there, whatever their value */
	uint32_t bad;	/* there, but their value could not be read: its field is as if absent */
	bool truncated; /* the last variable lacks its NUL: ignored, and more may be missing */

	struct mesos_span slave_pid_text; /* MESOS_SLAVE_PID as it stands */
	struct mesos_upid slave_pid;
	struct ew_addr agent_endpoint; /* MESOS_AGENT_ENDPOINT, 0.28 and later */
	struct mesos_span slave_id;
	struct mesos_span framework_id;
	struct mesos_span executor_id;
	struct mesos_span directory;	/* MESOS_DIRECTORY: the sandbox as the host sees it */
	struct mesos_span container_id; /* its last part */
	struct mesos_span sandbox;
	bool checkpoint;		  /* MESOS_CHECKPOINT is exactly "1" */
	int64_t recovery_timeout_ns;	  /* 0 with checkpoint off */
	bool recovery_timeout_default;	  /* absent or bad: the 15 minutes that v0 then takes */
	int64_t shutdown_grace_ns;	  /* 0: absent. The 0.28 driver ignores it and takes 5 s */
	int64_t backoff_max_ns;		  /* MESOS_SUBSCRIPTION_BACKOFF_MAX; 0: absent */
	bool http_command_executor;	  /* "1" */
	struct mesos_span domain_socket;  /* given to v0 executors too, which ignore it */
	struct mesos_span native_library; /* tells the agent's version at launch, not its own */
	bool tls;	    /* LIBPROCESS_SSL_ENABLED or SSL_ENABLED is "1" or "true" */
	bool tls_downgrade; /* …_SUPPORT_DOWNGRADE: may speak plainly */
	struct mesos_span libprocess_ip;
	bool peer_match;    /* LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH, since 1.5: a sender whose
			       address is not its own gets 400 */
	bool containerizer; /* MESOS_CONTAINERIZER_*: no executor but its launcher */
	bool local;	    /* MESOS_LOCAL: test mode, never ends itself */
};

/*
 * bytes as read from /proc/PID/environ. The first of several variables with the same name counts,
 * as for getenv(3). Runs of zeros (erased variables) and items without '=' are skipped. Always
 * fills *env: an empty or foreign environment gives seen == 0. Secrets are never handed out.
 */
void mesos_env_parse(const void *bytes, size_t len, struct mesos_env *env);

#endif
