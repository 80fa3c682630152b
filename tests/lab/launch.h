/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_LAUNCH_H
#define LAB_LAUNCH_H

#include "buf.h"

#include <stdbool.h>

/*
 * One executor as the spec describes it, and what the agent adds when it starts it. It
 * travels as one line of `key=value` words, values percent-encoded, and is read again by
 * the executor itself. All members are strings, never NULL, all owned.
 */
struct launch {
	/* spec */
	char *id; /* executor id (any bytes but NUL and '/'); the task's id too */
	char *group;
	char *kind;		/* v0-old, v0-relink, v1 */
	char *version;		/* of the executor's Mesos library */
	char *lib;		/* yes, no, deleted: is libmesos-VERSION.so mapped */
	char *as;		/* executor, docker, containerizer, sh, java, memfd */
	char *exe;		/* kept, deleted */
	char *mode;		/* normal, unregistered, disconnected */
	char *agent;		/* name of the agent it belongs to */
	char *framework;	/* number of its framework */
	char *checkpoint;	/* 1, 0 */
	char *workers;		/* libprocess worker threads */
	char *recovery_timeout; /* empty: the agent's */
	char *grace;		/* MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD */
	char *task;	   /* sleep, stubborn (ignores SIGTERM), curl (talks to the agent), none */
	char *command;	   /* of the task, for the messages only */
	char *suicide;	   /* task: end the task; group: wait for killpg(0, SIGKILL);
			      ack: end the task, exit once its end is acknowledged */
	char *environ;	   /* kept, overwritten: what /proc/PID/environ shows is zeroed */
	char *other;	   /* v1's second connection: kept, closed once it has registered */
	char *family;	   /* plain: the agent's; mapped: IPv6 sockets to an agent of IPv4 */
	char *mptcp;	   /* yes: its connections to the agent are made with IPPROTO_MPTCP */
	char *peer_match;  /* yes: messages only from the address that they name, else 400 */
	char *tls_said;	   /* yes: its environment says that it speaks TLS; it does not */
	char *log;	   /* file: stderr is a file of the sandbox; null: it is /dev/null */
	char *acks;	   /* no: its framework acknowledges no update */
	char *backoff_max; /* MESOS_SUBSCRIPTION_BACKOFF_MAX; empty: the agent's timeout */
	char *leak;	   /* yes: the task inherits a copy of the link */
	char *ns;	   /* none, net, pid (pid and mount) */
	char *link_port;   /* local port of the link; 0: any */
	char *listen_port; /* 0: any */
	char *inode_like;  /* the link's inode number contains these digits */
	/* what the agent adds */
	char *framework_id;
	char *container_id;
	char *slave_id;
	char *agent_ip;
	char *agent_port;
	char *domain_socket; /* the agent's; empty: it has none */
	char *directory;     /* sandbox */
	char *dir;	     /* of the node: bin/, lib/, state/ */
	char *net_index;     /* which subnet an executor with ns=net takes */
	char *node_ns;	     /* inode number of the node's network namespace */
};

struct launch *launch_new(void);    /* all defaults */
void launch_free(struct launch *l); /* NULL ok */

/* Sets one member by its name ('-' and '_' are the same). False: no such name. */
bool launch_set(struct launch *l, const char *name, const char *value);

/* Takes a line of words; NULL if all of it was understood, else the offending word (malloc'd). */
char *launch_parse(struct launch *l, const char *line);

void launch_format(const struct launch *l, struct buf *out); /* one line, no newline */

bool launch_is(const char *value, const char *wanted);
bool launch_is_v1(const struct launch *l);
unsigned long launch_number(const char *value);

/* Takes the next word, "key=value" (decoded, malloc'd) or "key" (value NULL); false: no more. */
bool word_next(const char **line, char **key, char **value);

/* Percent-encoding of everything but letters, digits and "._-:/@()". */
void pct_encode(struct buf *out, const char *s);
char *pct_decode(const char *s, size_t len); /* malloc'd */

/* major.minor.patch as one number that compares: 1.1.2 -> 1001002. */
unsigned int version_number(const char *version);

/* "15mins", "500ms" (stout's grammar) in milliseconds; -1: not a duration. */
long long duration_ms(const char *text);

#endif
