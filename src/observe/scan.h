/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A scan: everything that can be asked about the node, each source in its turn, in an order in
 * which a source comes after those that it depends on. Everything is read, nothing is changed, no
 * packet is sent to an executor.
 */
#ifndef EW_OBSERVE_SCAN_H
#define EW_OBSERVE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/agent_ports.h"
#include "facts.h"
#include "observe/agent/next_start.h"

struct api_options;
struct fact_sink;
struct error;
struct scan;

struct scan_options {
	uint16_t port;			 /* that the agent listens on */
	const struct agent_ports *known; /* that it advertises, copied; NULL: none are known */
	struct agent_ports earlier; /* that it had in the last baseline: for as long as none runs */
	const char *work_dir;	    /* NULL: found */
	const char *agent_url;	    /* NULL: http://ADDRESS:PORT of the agent that listens */
	const char *master_url;	    /* NULL: the running agent's flag; lives as long as the scan */
	const char *ca_file;	    /* certificates for an https URL; NULL: the system's */
	const char *authorization;  /* value of that header for the API; NULL: none */
	int64_t until;	  /* mono ns; what was not looked at by then is not read. 0: no bound */
	const int *netns; /* descriptor of the agent's network namespace, copied; NULL: ours */
	/* May an agent of another namespace be meant? NO: never; else if none listens in netns. */
	enum ew_tri elsewhere;
	struct next_start_options next; /* its texts live as long as the scan */
	/*
	 * Emits the sockets with the agent port and the descriptors that refer to them, by BPF
	 * (ew_bpf_scan(), ew_bpf_scan_once()). NULL: sock_diag and /proc are read instead. When it
	 * fails they are read too, after a FACT_UNREAD.
	 */
	int (*bpf_scan)(void *ctx, const struct fact_sink *sink, struct error *error);
	void *bpf_scan_ctx;
	/* Is told the agent's ports whenever the scan has learnt one more. NULL: nobody is. */
	int (*set_ports)(void *ctx, const struct agent_ports *ports);
	void *set_ports_ctx;
};

/* Copies the options, but for what the ctx point to. */
int scan_new(const struct scan_options *options, struct scan **ret_scan, struct error *error);
void scan_free(struct scan *scan);

/*
 * Begins to scan the sources named by scope (SCAN_ bits): emits FACT_SCAN begin. SCAN_TRACKING
 * includes SCAN_SOCKETS, which includes SCAN_PROCESSES: they cannot be read alone. A scan that is
 * under way is dropped, without an end. The sink's ctx has to live until the end.
 */
void scan_begin(struct scan *scan, uint32_t scope, const struct fact_sink *sink);

/*
 * Does a small part of the scan: a large node takes seconds, in which live events have to be read
 * too, between two steps. Returns true when there is more to do; false after FACT_SCAN end. A
 * source that could not be completed is missing in the scope of that, with FACT_UNREAD saying why;
 * the others are read all the same. SCAN_API asks an agent that was found by this or an earlier
 * scan, and waits for its answer (API_TIMEOUT_MS at most).
 */
bool scan_step(struct scan *scan);

/* What the next step reads, for messages: "the agent's checkpoints". */
const char *scan_object(const struct scan *scan);

/* The agent's ports, as far as scans have learnt them. Lives as long as the scan. */
const struct agent_ports *scan_ports(const struct scan *scan);

/* All steps of a scan. Returns the scope that was completed. */
uint32_t scan_run(struct scan *scan, uint32_t scope, const struct fact_sink *sink);

/*
 * How to ask the API of the agent that the last scan found, for callers that do not want to wait.
 * The strings live until the next scan; nsfd is the caller's to close. -ENOENT: no agent.
 */
int scan_api_options(struct scan *scan, struct api_options *options, struct error *error);

struct post_mortem_run;

/*
 * Emits what is written of executors that are gone (observe/agent/post_mortem.h), in the work
 * directory and by the agent that the last scan found.
 */
void scan_post_mortem(struct scan *scan, const struct post_mortem_run *runs, size_t n,
		      const struct fact_sink *sink);

/*
 * Emits FACT_AGENT_LOG for an agent that has ended, from where the last agent that a scan found
 * wrote its log (observe/agent/agent_log.h).
 */
void scan_agent_log(struct scan *scan, int32_t pid, uint64_t start, const struct fact_sink *sink);

/* A number for the next answer of the API, never used before. */
uint32_t scan_api_answer_nr(struct scan *scan);

#endif
