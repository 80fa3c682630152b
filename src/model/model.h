/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts in, executors with verdicts, deadlines and outcomes out. No I/O, and no clock but the time
 * that facts carry: verdicts hold at the time of the last FACT_NOW.
 */
#ifndef EW_MODEL_MODEL_H
#define EW_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "model/report.h"

struct model;

/* NULL when there is no memory. */
struct model *model_new(void);
void model_free(struct model *model);

/*
 * A sink that adds facts to the model; valid as long as the model. When memory is short, every
 * later report is unknown.
 */
struct fact_sink model_sink(struct model *model);

/* A report of the given kind, to be freed with report_free(); NULL when there is no memory. */
struct report *model_report(const struct model *model, enum report_kind kind);

/*
 * What an acting verb wants. With none of the three the treatable verdicts are taken: half-open and
 * at-risk.
 */
struct model_choice {
	uint32_t verdicts; /* bits 1 << enum verdict; 0: the default */
	int32_t pid;	   /* 0: any */
	bool all;	   /* each link, as long as the rules of acting allow */
};

/* One link to be treated, or the reason why an executor that was asked for must not be touched. */
struct model_target {
	const char *executor_id;
	const char *framework_id;
	int32_t pid;
	uint64_t start;
	int32_t fd;
	uint64_t cookie;
	uint64_t inode;
	enum verdict verdict;
	int64_t recovery_timeout;
	const char *forbidden; /* NULL: may be touched */
	const char *changed;   /* what differs from the plan (model_plan_check()); NULL */
};

/*
 * The links to treat, in order of their executors' deadlines (shortest recovery timeout first).
 * Forbidden ones come with their reason, last. *ret is an array of *n owned by the caller together
 * with report, whose strings it uses. Returns 0 or -ENOMEM.
 */
int model_select(const struct report *report, const struct model_choice *choice,
		 struct model_target **ret, size_t *n);

/*
 * Compares a plan with a later audit of the same model: sets changed of each target whose executor,
 * verdict or link is not what was planned, and of all when the agent is another process. A link
 * that only the later audit would choose is not added. The texts belong to the later report.
 * Returns 0 or -ENOMEM.
 */
int model_plan_check(const struct report *planned, const struct model_choice *choice,
		     const struct report *now, struct model_target *targets, size_t n);

/*
 * The links that did not notice the end of an agent: of executors that checkpoint and have
 * registered, ESTABLISHED although the agent that held the other end has ended. Those of
 * executors that relink when asked, or have dropped a link already, are left out. In the order of
 * model_select(); changed is set where the executor must be left alone now
 * (model_guard_refusal()). *ret is an array of *n, to be freed; its texts are the model's. Empty
 * while that agent has not ended. Returns 0 or -ENOMEM.
 */
int model_guard_targets(const struct model *model, int32_t agent_pid, uint64_t agent_start,
			struct model_target **ret, size_t *n);

/*
 * The links that would be in model_guard_targets() if the agent ended now and none of their
 * executors noticed, whatever is known of their other ends. In the same order and form; empty while
 * no agent serves. Returns 0 or -ENOMEM.
 */
int model_guard_plan(const struct model *model, struct model_target **ret, size_t *n);

/*
 * Why the executor must not be disconnected any more after the end of that agent: the next one has
 * asked it to reconnect, or may have (Mesos exec.cpp, exited(): a second disconnect ends it). NULL:
 * it has not been asked. The text is static.
 */
const char *model_guard_refusal(const struct model *model, int32_t agent_pid, uint64_t agent_start,
				int32_t pid, uint64_t start);

/* Has the end of that agent been seen? */
bool model_agent_ended(const struct model *model, int32_t pid, uint64_t start);

/* Would it be lost, or is that unknown by its link alone, and will the guard treat each of its
 * links that does not notice the agent's end? */
bool model_guard_covers(const struct report_executor *executor);

/* One link that `protect` may set keepalive on. Texts belong to the audit, or are static. */
struct model_protection {
	struct model_target target; /* forbidden: refused */
	const char *needless;	    /* why nothing is to be done; NULL: something is */
	const char *reason_id;	    /* of forbidden or needless; NULL: neither */
	struct ew_addr local, remote;
	uint64_t netns;
	int64_t lifetime; /* ns that an idle link keeps an entry, by the sysctl; 0: not known */
	bool renewed;	  /* keepalive renews its entry already */
};

/*
 * The links that `protect` concerns, of the chosen executors (by default all of this agent's), with
 * the reason where it must, or need, not act. idle: the idle time that was asked for, s; 0: none
 * was. *ret is an array of *n owned by the caller together with the audit. Returns 0 or -ENOMEM.
 */
int model_protections(const struct report *audit, const struct model_choice *choice, uint32_t idle,
		      struct model_protection **ret, size_t *n);

/*
 * Compares with the same of a later audit: sets target.changed of each link that is not any more as
 * it was planned, and of all when the agent is another process.
 */
void model_protections_check(const struct report *planned, const struct report *now,
			     struct model_protection *links, size_t n,
			     const struct model_protection *later, size_t n_later);

/* One executor that `hold` concerns. Texts belong to the audit, or are static. */
struct model_hold {
	const char *executor_id;
	const char *framework_id;
	int32_t pid;
	uint64_t start;
	enum verdict verdict;
	const char *upid;      /* of its process: "executor(1)@10.0.0.7:41234" */
	const char *slave_pid; /* its agent's */
	const char *slave_id;
	int64_t disconnected; /* wall ns when its clock began to run; 0: not seen */
	int64_t deadline;     /* wall ns: it ends itself then; 0: not known */
	bool deadline_latest;
	const char *refused;   /* why it must not be held; NULL: it may be */
	const char *needless;  /* why nothing is to be done; NULL: something is */
	const char *reason_id; /* of one of them; NULL: neither */
	const char *changed;   /* what is not as planned (model_holds_check()); NULL */
};

/* Has its link ended, so that it waits for an agent, or will once it is not stopped any more? */
bool model_waits(const struct report_executor *executor);

/*
 * The executors that wait for an agent (or the one of choice.pid), with the reason where one must,
 * or need, not be held; the next deadline first. *ret is an array of *n owned by the caller
 * together with the audit. Returns 0 or -ENOMEM.
 */
int model_holds(const struct report *audit, const struct model_choice *choice,
		struct model_hold **ret, size_t *n);

/* Compares with the same of a later audit, which has to live on: sets changed. */
void model_holds_check(struct model_hold *holds, size_t n, const struct model_hold *later,
		       size_t n_later);

/* Does the model get events of this hook (FACT_HOOK)? */
bool model_has_hook(const struct model *model, const char *hook);

/*
 * How many agents have ended by themselves within their recovery while none serves since; the last
 * of them in *pid and *start.
 */
size_t model_failed_starts(const struct model *model, int32_t *pid, uint64_t *start);

/* True when an agent listens and its recovery is known to be over. */
bool model_agent_serves(const struct model *model);
/* True while the checkpoints alone tell whether the agent's recovery is over: they are to be read
 * again. */
bool model_wants_checkpoints(const struct model *model);
/* True while an answer of the agent waits for entries of connection tracking, which alone tell
 * whose link it is on: they are to be read again. */
bool model_wants_tracking(const struct model *model);

enum model_until { UNTIL_SETTLED, UNTIL_DEADLINE };

/*
 * True when watching may end. *next (mono ns) gets the next time at which that may change by
 * itself, 0 when only an event can change it.
 */
bool model_done(const struct model *model, enum model_until until, int64_t *next);

/*
 * Emits a FACT_BASELINE for each executor of an audit, so that later outcomes are compared
 * with it, and a FACT_FORESEEN for each of its findings.
 */
void model_baseline(const struct report *audit, const struct fact_sink *sink);

#endif
