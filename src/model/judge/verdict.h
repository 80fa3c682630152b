/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rules that turn evidence into a verdict: pure functions over small structs. */
#ifndef EW_MODEL_JUDGE_VERDICT_H
#define EW_MODEL_JUDGE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"
#include "model/report.h"

struct link_evidence {
	enum ew_tri agent_end; /* the agent has the other end */
	enum conntrack conntrack;
	int64_t expires; /* ns until the first of its entries expires; -1: not known */
	int64_t horizon; /* ns; an entry that expires within it may be gone when the agent stops */
	enum ew_tri renewed; /* its keepalive renews its entries before they expire */
	bool full;	     /* no entry can be made: the kernel drops packets that need one */
	/* By the rules, without an entry. For links within one namespace, not translated. */
	enum ew_tri accepted;  /* the agent's FIN */
	enum ew_tri untracked; /* it needs no entry */
};

/* The state of one link, ordered: worse is larger. */
enum link_state { LINK_SOUND, LINK_UNKNOWN, LINK_AT_RISK, LINK_HALF_OPEN };

/*
 * One for SUBSCRIBE and its events, one for all other calls (Mesos executor/executor.cpp). Each
 * needs the other.
 */
#define V1_CONNECTIONS 2

/*
 * Whether the agent's FIN will reach the executor. Without an entry of connection tracking a FIN is
 * invalid, whatever tcp_loose says (tcp_new(), nf_conntrack_proto_tcp.c of Linux 6.1): the rules
 * decide.
 */
enum link_state link_state_of(const struct link_evidence *link);

struct evidence {
	enum ew_tri ours;	/* belongs to this agent */
	enum ew_tri orphaned;	/* the agent that serves or will recover here has another id */
	enum ew_tri same_fate;	/* stopping the agent stops it */
	enum ew_tri responsive; /* NO: stopped, frozen, or hangs: it cannot answer */
	const char
		*contradiction; /* sources disagree: a sentence that names them; NULL: they agree */
	enum ew_tri environment; /* its environment was read */
	bool checkpoint;	 /* MESOS_CHECKPOINT=1 */
	enum ew_tri registered;	 /* ever, as its checkpoints tell */
	enum ew_tri recoverable; /* an agent that starts takes it back by its checkpoints */
	enum ew_tri
		taken_back; /* by the agent that is there now, should that have had to recover it */
	enum protocol protocol;
	enum ew_tri sockets; /* the scan of sockets was complete */
	size_t n_links;
	enum link_state worst; /* of its links; LINK_SOUND without any */
	enum ew_tri relinks;   /* its library opens a new link when asked to reconnect */
	bool domain_socket;    /* both its connections go over one to this agent */
	enum ew_tri agent;     /* an agent listens */
};

/*
 * The first row of the table of verdicts that applies. Deciding evidence that could not be read
 * gives VERDICT_UNKNOWN.
 */
enum verdict verdict_of(const struct evidence *evidence);

#endif
