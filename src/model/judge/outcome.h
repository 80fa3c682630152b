/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What became of an executor of the baseline, and until when its clocks run. */
#ifndef EW_MODEL_JUDGE_OUTCOME_H
#define EW_MODEL_JUDGE_OUTCOME_H

#include "model/report.h"
#include "model/judge/executors.h"

struct fate {
	enum outcome outcome;
	enum proof proof;
	enum cause cause; /* of an end */
	/* A warning whatever its outcome's severity: a task that failed before the window; kept where
	 * a restart was wanted. */
	bool minor;
	bool latest;	  /* its disconnection was not seen: deadline is the latest possible one */
	int64_t disconnected; /* mono; 0: its clock does not run */
	int64_t deadline;     /* mono; 0: none */
	int64_t ends_by;      /* mono: by then it has ended if it ends itself at its deadline; 0: no
				 deadline */
	bool ending;	      /* its deadline has passed: it is ending itself, or should have */
	int64_t ended;	      /* mono; 0: lives */
	int32_t killer;
	const char *killer_comm; /* the store's */
	const char *why;	 /* a sentence of the arena's */
	const char *advice;
};

void outcome_judge(const struct executors *view, const struct fact_baseline *baseline,
		   struct arena *arena, struct fate *fate);

/*
 * When an executor that lives has outlived its recovery timeout, counted from its last
 * disconnection in this window, and the time it would have taken to end itself then; 0: it had no
 * disconnection.
 */
int64_t outcome_proven_at(const struct store *store, const struct fact_baseline *baseline);

/* A new agent's, or the same one's, recovery is over, as far as can be told. */
bool outcome_agent_serves(const struct store *store);
/* When that will be so of an agent that cannot be asked, mono ns; 0: its own answer will tell. */
int64_t outcome_serves_at(const struct store *store);

/* Is the agent that is there another process than the baseline's? */
bool outcome_restarted(const struct store *store, const struct fact_baseline *baseline);
/*
 * When the clock of one began to run whose disconnection was not seen, mono; 0: it does not run.
 * *latest: that is the latest possible time, not the time.
 */
int64_t outcome_down_unseen(const struct store *store, const struct fact_baseline *baseline,
			    const struct process *process, size_t n_links, bool *latest);
/*
 * When an act made it drop its link, mono; 0: none did, or so long ago that it must have registered
 * again since: it would have ended itself.
 */
int64_t outcome_treated_at(const struct store *store, int32_t pid, uint64_t start,
			   int64_t recovery_timeout);
/* Wall clock to mono; 0 stays 0. */
int64_t outcome_mono(const struct store *store, int64_t wall);

#endif
