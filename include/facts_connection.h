/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections, and what the kernel does with their packets. Part of facts.h. */
#ifndef EW_FACTS_CONNECTION_H
#define EW_FACTS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts_values.h"

struct fact_socket {
	uint64_t cookie; /* SO_COOKIE: names the socket on this host until reboot */
	uint64_t inode;	 /* 0: ownerless, no descriptor refers to it */
	uint64_t netns;	 /* inode of the namespace */
	struct ew_addr local;
	struct ew_addr remote;
	uint32_t state;	  /* TCP_ESTABLISHED… of tcp_states.h */
	int64_t idle;	  /* since data was last sent or received; -1: not known */
	bool mptcp;	  /* it carries a socket of IPPROTO_MPTCP, to which descriptors refer */
	int64_t probe_in; /* until its keepalive timer expires; 0: none runs, or not known */
};

struct fact_holder {
	uint64_t cookie;
	int32_t pid;
	uint64_t start;
	int32_t fd;
};

struct fact_tcp {
	uint64_t cookie;
	uint64_t netns;
	struct ew_addr local;
	struct ew_addr remote;
	uint32_t from;
	uint32_t to;
	int32_t pid; /* of the process that caused it; 0: in softirq, where the current process is
			unrelated */
	uint64_t start;
};

/* Values are part of the recording format, as mesos/message.h names them. */
struct fact_message {
	uint64_t cookie; /* the socket it was sent on */
	int32_t pid;	 /* the sender */
	uint64_t start;
	struct ew_addr local;
	struct ew_addr remote;
	uint64_t netns;
	const char *name; /* "ReregisterExecutorMessage", "SUBSCRIBE", "200 OK", "TLS", … */
	const char *from; /* UPID of the sender as it says; empty for v1 */
	const char *executor_id; /* when the first bytes of the body hold it */
	const char *framework_id;
	const char
		*task_id; /* of a StatusUpdateMessage, its acknowledgement or UPDATE; empty: none */
	const char *task_state; /* "TASK_FAILED"; empty: none */
	int32_t status;		/* of an HTTP response; 0: none */
};

struct fact_unix_link {
	int32_t pid; /* the executor's */
	uint64_t start;
	int32_t fd; /* -1: not known */
	uint64_t inode;
	uint64_t peer_inode; /* 0: not known */
	int32_t peer_pid;    /* who holds the other end; 0: not known */
	uint64_t peer_start;
	const char *path; /* the listener's */
};

struct fact_ct_active {
	uint64_t netns;
	enum ew_tri in_force; /* YES: conntrack hooks are registered in this namespace */
	uint64_t entries;     /* in this namespace */
	uint64_t limit;	      /* of entries; 0: not known */
	int64_t established;  /* nf_conntrack_tcp_timeout_established of the namespace; 0: not
				 known */
};

struct fact_ct_entry {
	uint64_t cookie;
	uint64_t netns; /* where it was looked up */
	enum ew_tri present;
	int64_t timeout; /* left until it expires; -1: not known */
	int32_t zone;	 /* of connection tracking; 0: the default zone */
	bool translated; /* the reply tuple is not the mirrored original: address translation */
	struct ew_addr
		reply_local; /* the other end's own view of the connection, when translated */
	struct ew_addr reply_remote;
};

/*
 * As getsockopt(2) gives it, through a copy of the executor's descriptor. Not emitted for a socket
 * on which no keepalive timer runs.
 */
struct fact_keepalive {
	uint64_t cookie;
	int32_t pid; /* whose descriptor was copied */
	uint64_t start;
	enum ew_tri on;	   /* SO_KEEPALIVE */
	uint32_t idle;	   /* TCP_KEEPIDLE, seconds */
	uint32_t interval; /* TCP_KEEPINTVL, seconds */
	uint32_t count;	   /* TCP_KEEPCNT */
	int64_t probe_in;  /* until the next probe; -1: not known */
};

/* The FIN of the agent's end of a link, as if connection tracking had forgotten the link. */
struct fact_firewall {
	uint64_t cookie;	/* of the executor's end */
	uint64_t netns;		/* whose rules */
	enum ew_tri accepted;	/* YES: certainly; NO: certainly dropped */
	enum ew_tri untracked;	/* YES: the rules keep it from connection tracking */
	const char *rule;	/* the deciding one: "inet fw in handle 4: iifname lo accept" */
	const char *cure;	/* a command line that makes it accepted for good; empty: none */
	const char *not_judged; /* why accepted is unknown; empty: it is known */
};

#endif
