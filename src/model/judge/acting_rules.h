/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether an executor may be touched at all. No option lifts these rules. */
#ifndef EW_MODEL_JUDGE_ACTING_RULES_H
#define EW_MODEL_JUDGE_ACTING_RULES_H

#include "model/judge/executor.h"

struct arena;

/* The first rule that applies. */
enum acting_rule {
	ACTING_NOT_JUDGED = 0,	/* forbidden */
	ACTING_RIVAL_AGENT,	/* which agent is meant is not known */
	ACTING_VERDICT,		/* the verdict forbids it (verdict_table.h) */
	ACTING_LINK_ENDED,	/* a v0 executor's clock runs */
	ACTING_ASKED,		/* it was asked to reconnect, and may not have done so yet */
	ACTING_RECOVERING,	/* the agent is */
	ACTING_MAY_RECOVER,	/* the agent may be, and since when it is not is not known */
	ACTING_MAY_RECOVER_YET, /* the agent may be, for a known time at most */
	ACTING_NO_LINK,
	ACTING_MPTCP, /* a subflow, to which no descriptor refers */
	ACTING_ALLOWED,
};

/* out: its verdict, protocol and links are filled. */
enum acting_rule acting_rule_of(const struct store *store, const struct executor *executor,
				const struct report_executor *out);

/* Why the rule forbids it: a clause without a capital; NULL: it is allowed. */
const char *acting_refusal(enum acting_rule rule, const struct store *store,
			   const struct executor *executor, const struct report_executor *out,
			   struct arena *arena);

#endif
