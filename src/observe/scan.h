/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A survey: one pass over all that can be asked, in an order in which what is needed first comes
 * first. Everything is read, nothing is changed, no packet is sent to an executor.
 */
#ifndef EW_OBSERVE_SCAN_H
#define EW_OBSERVE_SCAN_H

#include <stdint.h>

struct api_options;
struct fact_sink;
struct error;
struct scan;

struct scan_options {
	uint16_t port;		   /* the agent's */
	const char *work_dir;	   /* NULL: found */
	const char *agent_url;	   /* NULL: http://ADDRESS:PORT of the agent that listens */
	const char *authorization; /* value of that header for the API; NULL: none */
	/*
	 * Puts the sockets with the agent port and their holders (ew_bpf_scan()); NULL:
	 * sock_diag and /proc are read instead. When it fails they are too, after a FACT_UNREAD.
	 */
	int (*seed)(void *ctx, const struct fact_sink *sink, struct error *error);
	void *seed_ctx;
	/*
	 * Called for each process and each socket that is read, of most of which no fact tells: a
	 * pass over a large node takes seconds, in which others have to be served. It may put what
	 * they tell. NULL: nobody.
	 */
	void (*pause)(void *ctx, const struct fact_sink *sink);
	void *pause_ctx;
};

/* Copies the options, but for what the two ctx point to. */
int scan_new(const struct scan_options *options, struct scan **ret_survey, struct error *error);
void scan_free(struct scan *survey);

/*
 * Runs the parts named by scope (SURVEY_ bits) between FACT_SCAN begin and end. SCAN_TRACKING
 * includes SCAN_SOCKETS, which includes SCAN_PROCESSES: they cannot be read alone. A part that
 * could not be completed is missing in the end's scope, with FACT_UNREAD saying why; the others
 * go on. SCAN_API asks an agent that was found by this or an earlier pass, and waits for its
 * answer (API_TIMEOUT_MS at most). Returns the scope that was completed.
 */
uint32_t scan_run(struct scan *survey, uint32_t scope, const struct fact_sink *sink);

/*
 * How to ask the API of the agent that the last pass found: for those who do not want to wait. The
 * strings live until the next pass; nsfd is the caller's to close. -ENOENT: no agent.
 */
int scan_api_options(struct scan *survey, struct api_options *options, struct error *error);

/* A number for the next round of answers, never used before. */
uint32_t scan_api_round(struct scan *survey);

#endif
