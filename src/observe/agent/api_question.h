/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The agent's API asked with an event loop of its own, for those who have something else to do
 * while the agent makes its answer (1 MB of text for 1,000 executors).
 */
#ifndef EW_OBSERVE_AGENT_API_QUESTION_H
#define EW_OBSERVE_AGENT_API_QUESTION_H

#include <stdint.h>

struct api_options;
struct error;
struct fact_sink;

struct api_question;

/* As api_new() and api_ask(); sink is copied. */
int api_ask_begin(const struct api_options *options, uint32_t answer_nr,
		  const struct fact_sink *sink, struct api_question **ret, struct error *error);

/* Waits for the answer, emits its facts and frees. */
void api_ask_end(struct api_question *question);

/* Frees it without an answer and without facts. NULL is fine. */
void api_ask_drop(struct api_question *question);

#endif
