/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A survey: one pass over all that can be asked, in an order in which what is needed first comes
 * first. Everything is read, nothing is changed, no packet is sent to an executor.
 */
#ifndef EW_OBSERVE_SURVEY_H
#define EW_OBSERVE_SURVEY_H

#include <stdint.h>

struct api_options;
struct fact_sink;
struct fail;
struct survey;

struct survey_options {
	uint16_t port;		   /* the agent's */
	const char *work_dir;	   /* NULL: found */
	const char *agent_url;	   /* NULL: http://ADDRESS:PORT of the agent that listens */
	const char *authorization; /* value of that header for the API; NULL: none */
	/*
	 * Puts the sockets with the agent port and their holders (bpf_watch_seed()); NULL:
	 * sock_diag and /proc are read instead. When it fails they are too, after a FACT_UNREAD.
	 */
	int (*seed)(void *ctx, const struct fact_sink *sink, struct fail *why);
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
int survey_new(const struct survey_options *options, struct survey **ret_survey, struct fail *why);
void survey_free(struct survey *survey);

/*
 * Runs the parts named by scope (SURVEY_ bits) between FACT_SURVEY begin and end. SURVEY_TRACKING
 * includes SURVEY_SOCKETS, which includes SURVEY_PROCESSES: they cannot be read alone. A part that
 * could not be completed is missing in the end's scope, with FACT_UNREAD saying why; the others
 * go on. SURVEY_API asks an agent that was found by this or an earlier pass, and waits for its
 * answer (API_TIMEOUT_MS at most). Returns the scope that was completed.
 */
uint32_t survey_run(struct survey *survey, uint32_t scope, const struct fact_sink *sink);

/*
 * How to ask the API of the agent that the last pass found: for those who do not want to wait. The
 * strings live until the next pass; nsfd is the caller's to close. -ENOENT: no agent.
 */
int survey_api_options(struct survey *survey, struct api_options *options, struct fail *why);

/* A number for the next round of answers, never used before. */
uint32_t survey_api_round(struct survey *survey);

#endif
