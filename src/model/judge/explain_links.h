/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sentences on an executor's links. */
#ifndef EW_MODEL_JUDGE_EXPLAIN_LINKS_H
#define EW_MODEL_JUDGE_EXPLAIN_LINKS_H

#include "model/judge/sentences.h"
#include "model/judge/verdict.h"
#include "model/store/store.h"

/* What is wrong, or not known, of each link; nothing on a sound one. */
void explain_links(struct sentences *s, const struct report_executor *out, struct arena *arena);
/* Why the agent's FIN will arrive. */
void explain_sound_link(struct sentences *s, const struct report_link *link, struct arena *arena);
/* Whether it opens a new connection when the agent asks it to reconnect. */
void explain_relink(struct sentences *s, const struct process_facts *p, const struct evidence *e,
		    struct arena *arena);

#endif
