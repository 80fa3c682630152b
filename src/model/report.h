/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model's conclusions, ready to be shown. A report owns all it points to and does not change
 * when the model receives more facts.
 */
#ifndef EW_MODEL_REPORT_H
#define EW_MODEL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/agent_ports.h"
#include "facts.h"

struct arena;

/* Zero is unknown. The others are in order of precedence: an executor gets the first that applies
 * (docs/verdicts.md). */
enum verdict {
	VERDICT_UNKNOWN = 0,
	VERDICT_FOREIGN,
	VERDICT_ORPHANED,
	VERDICT_NO_CHECKPOINT,
	VERDICT_UNREGISTERED,
	VERDICT_SAME_FATE,
	VERDICT_UNRESPONSIVE,
	VERDICT_DISCONNECTED,
	VERDICT_SELF_HEALING,
	VERDICT_HALF_OPEN,
	VERDICT_AT_RISK,
	VERDICT_HEALTHY,
	VERDICT_COUNT,
};

enum outcome {
	OUTCOME_UNKNOWN = 0,
	OUTCOME_REREGISTERED,
	OUTCOME_KEPT,
	OUTCOME_FINISHED,    /* its task ended well, by the task's own terminal state */
	OUTCOME_TASK_KILLED, /* by its framework */
	OUTCOME_TASK_FAILED,
	OUTCOME_SELF_TERMINATED,
	OUTCOME_KILLED_BY_AGENT,
	OUTCOME_KILLED,
	OUTCOME_CRASHED,
	OUTCOME_LOST,	  /* it is gone and has not finished; the cause was not seen */
	OUTCOME_ORPHANED, /* it runs, and the serving agent has another id */
	OUTCOME_WAITING,
	OUTCOME_COUNT,
};

enum proof { PROOF_NONE, PROOF_MESSAGE, PROOF_API, PROOF_LINK };
/* How the cause of an end is known. */
enum cause { CAUSE_NONE, CAUSE_EVENT, CAUSE_DISK, CAUSE_API, CAUSE_LOG };
enum severity { SEVERITY_UNKNOWN = 0, SEVERITY_OK, SEVERITY_WARNING, SEVERITY_CRITICAL };
enum protocol { PROTOCOL_UNKNOWN, PROTOCOL_V0, PROTOCOL_V1 };
enum conntrack { CONNTRACK_UNKNOWN, CONNTRACK_ENTRY, CONNTRACK_NONE, CONNTRACK_OFF };

/* Texts as in the JSON documents ("half-open", "reregistered", "message", "warning", "v0", "none").
 */
const char *verdict_name(enum verdict verdict);
const char *outcome_name(enum outcome outcome);
const char *proof_name(enum proof proof); /* NULL for PROOF_NONE */
const char *cause_name(enum cause cause); /* NULL for CAUSE_NONE */
const char *severity_name(enum severity severity);
const char *protocol_name(enum protocol protocol);
const char *conntrack_name(enum conntrack conntrack);
bool verdict_parse(const char *text, enum verdict *verdict);
enum severity verdict_severity(enum verdict verdict);
enum severity outcome_severity(enum outcome outcome);

/* TCP keepalive on the executor's end of a link, as read in the last scan. */
struct link_keepalive {
	bool on;			/* and a timer runs */
	uint32_t idle, interval, count; /* seconds, but for count; only if on */
	int64_t probe_in;		/* ns until the next probe; -1: not known */
	enum ew_tri renewed;		/* YES: probes renew its entries before they expire */
	int64_t lifetime; /* ns that an idle connection keeps an entry, by the sysctl; 0: not known,
			     or no entry */
};

struct report_link {
	int32_t fd; /* -1: not known */
	uint64_t inode;
	uint64_t cookie;
	struct ew_addr local;
	struct ew_addr remote;
	uint64_t netns;
	uint32_t state;	       /* TCP_ESTABLISHED… */
	enum ew_tri agent_end; /* YES: present */
	bool agent_silent;     /* the agent's process holds the other end and listens no more */
	enum conntrack conntrack;
	int64_t expires;	/* ns until its entry expires; -1: not known, or no entry */
	enum ew_tri accepted;	/* the rules let the FIN pass without an entry */
	const char *rule;	/* that decides accepted; "" */
	const char *cure;	/* a command line that makes the rules let it pass; "" */
	const char *not_judged; /* why accepted is not known; "" */
	bool at_risk;		/* its FIN may be lost, though both ends exist */
	int64_t idle;		/* ns; -1: not known */
	struct link_keepalive keepalive;
};

/*
 * What to do is text in which a line that begins with a tab is a command for sh:
 * "Let it go on, then audit again:\n\tkill -CONT 4711". Whatever it names is quoted for sh.
 */
struct report_executor {
	const char *executor_id;
	const char *framework_id;
	const char *container_id;
	const char *const *tasks;
	size_t n_tasks;
	int32_t pid; /* 0: no such process was found */
	uint64_t start;
	const char *comm;
	enum protocol protocol;
	bool checkpoint;
	int64_t recovery_timeout;    /* ns */
	const char *library_version; /* NULL: not known */
	const struct report_link *links;
	size_t n_links;
	enum verdict verdict;
	const char
		*forbidden; /* why it must never be touched, whatever is asked; NULL: it may be */
	bool guardable; /* the guard treats each link of it that does not notice the agent's end */
	enum severity severity;
	const char *const *why; /* the evidence, whole sentences */
	size_t n_why;
	const char *advice; /* what to do next; "": nothing. Text and commands, see below */
	/* only in reports with outcomes */
	enum outcome outcome;
	enum proof proof;
	enum cause cause;     /* of an end */
	bool appeared;	      /* not in the baseline: it came after it */
	bool treated;	      /* its link was shut down by an act, and it waits since */
	int64_t disconnected; /* wall ns when its clock began to run; 0: it does not run */
	int64_t deadline;     /* wall ns; 0: none */
	bool deadline_latest; /* its disconnection was not seen: deadline is the latest possible */
	int64_t ends_by;      /* wall ns; its deadline has passed, and it has exited by then; 0:
				 not so */
	int64_t ended;	      /* wall ns; 0: it lives, or its end was not seen */
	int64_t held; /* wall ns when its clock was stopped by hold; 0: it was not, or it has lost a
			 link or registered since */
	bool asked;   /* the agent has asked it to reconnect, and it has not registered since */
	const char *upid;      /* of its process, as its checkpoint says; "" */
	const char *slave_pid; /* its agent's UPID; "" */
	const char *slave_id;  /* its agent's; "" */
	int32_t killer;	       /* host pid; 0 */
	const char *killer_comm;
};

/* TCP keepalive before or after an act; on EW_UNKNOWN: not read. Seconds, but for count. */
struct act_keepalive {
	enum ew_tri on;
	uint32_t idle, interval, count;
};

struct report_act {
	const char *executor_id;
	const char *framework_id;
	int32_t pid;
	int32_t fd;
	const char *method;
	const char *result;
	const char *reason;
	const char *reason_id;
	int64_t stopped;     /* ns; -1 */
	int64_t effect;	     /* ns; -1 */
	int64_t at;	     /* wall ns */
	int64_t interrupted; /* ns; -1 */
	int32_t copies;	     /* -1 */
	int32_t copies_left; /* -1 */
	const char *action;  /* "shutdown", "protect", "unprotect" */
	const char *bytes;   /* of "hold"; "" */
	const char *proof;   /* "entry-renewed", "read-back"; "": none, or by effect */
	struct act_keepalive before, after;
};

/* A connection to the agent port that is no executor's: the master's, a monitor's, a task's. */
struct report_other {
	int32_t pid; /* 0: nobody holds it */
	const char *comm;
	uint32_t connections;
};

/* About the node or the next start; stands beside the executors and counts for the exit code. */
struct report_finding {
	const char *id; /* "master-timeout"; docs/findings.md */
	enum severity severity;
	const char *evidence; /* what was seen: a sentence */
	const char *cure;     /* what to do; "": nothing. Text and commands, see above */
	const char *effect;   /* what it does to a restart: a sentence */
	bool ignored;	      /* by the user's wish: shown, and counts for nothing */
};

/* The severity that counts for exit codes, headlines and the gate: ok for one that is ignored. */
enum severity finding_weight(const struct report_finding *finding);

/* A finding of the audit before the restart, and what came of it. Of reports with outcomes. */
struct report_foreseen {
	const char *id;
	const char *severity; /* as it was then */
	const char *evidence;
	bool stands; /* it is a finding still, or again */
};

enum report_kind {
	REPORT_AUDIT,
	REPORT_SHUTDOWN,
	REPORT_VERIFY,
	REPORT_RUN,
	REPORT_PROTECT, /* an audit after the acts */
	REPORT_HOLD,	/* likewise */
	REPORT_WATCH,	/* an audit, and what became of the executors that ended during the watch */
	REPORT_GUARD,	/* as REPORT_RUN; somebody else restarts the agent */
};

struct report_agent {
	int32_t pid; /* 0: none listens */
	uint64_t start;
	const char *comm;
	const char *version;  /* "" unknown */
	const char *slave_id; /* "" unknown */
	struct ew_addr listen;
	const char *work_dir; /* "" unknown */
	const char *api;      /* "serving", "recovering", "down", or why it could not be asked */
	bool serving;	      /* listens, and its recovery is known to be over */
	int64_t recovered_by; /* wall ns: until when it makes sense to wait for the end of its
				 recovery; 0: it serves, or there is none */
	bool restarted;	      /* it is another process than the baseline's */
};

/* The audit that outcomes are compared with. */
struct report_baseline {
	int64_t taken;	   /* wall ns; 0: there is none, or it had no executors */
	int32_t agent_pid; /* 0: no agent listened */
	uint64_t agent_start;
};

/* What the master told of the agent and of its patience. */
struct report_master {
	const char *url;	 /* NULL: none is known, or it is an older recording */
	const char *problem;	 /* why it has not told all; "" */
	enum ew_tri lists_agent; /* among those that are registered */
	int64_t removal_after; /* ns; it removes an agent that is silent for so long; 0: not told */
};

struct report_clock {
	const char *name; /* "executors", "master", "agent" */
	int64_t deadline; /* wall ns; 0: does not run */
};

struct report {
	struct arena *arena; /* owns all that the report points to */
	enum report_kind kind;
	const char *tool;
	const char *host;
	const char *boot_id;
	int64_t generated; /* wall ns */
	uint32_t agent_port;
	struct agent_ports ports; /* agent_port, then those that the agent advertises */
	bool blind; /* sockets or processes could not all be read: what is missing may be there */
	struct report_agent agent;
	struct report_master master;
	struct report_baseline baseline;   /* of reports with outcomes */
	struct report_executor *executors; /* by severity, then by executor_id */
	size_t n_executors;
	struct report_executor *ended; /* of REPORT_WATCH; have outcomes; in the same order */
	size_t n_ended;
	struct report_finding *findings; /* worst first */
	size_t n_findings;
	struct report_foreseen *foreseen; /* of reports with outcomes */
	size_t n_foreseen;
	struct report_act *acts;
	size_t n_acts;
	struct report_other *others;
	size_t n_others;
	size_t verdicts[VERDICT_COUNT]; /* how many executors have each */
	size_t outcomes[OUTCOME_COUNT];
	size_t ending; /* how many have ends_by */
	uint64_t events_seen;
	uint64_t events_lost;
	const char *messages; /* the hook that shows protocol messages; "" none */
	bool messages_best_effort;
	const char *const *notes; /* what could not be read, lost, or is odd: whole sentences */
	size_t n_notes;
	struct report_clock clocks[3];
	const char *command; /* of run; NULL */
	bool command_ended;
	int32_t command_status; /* as wait(2) gives it */
	bool interrupted;
	bool restart_wanted; /* of run and guard: the agent is to be restarted */
	bool dry_run;	     /* outcomes tell that nothing was done; the exit code is an audit's */
	int exit_code;	     /* 0, 1, 2 or 3 */
};

/* True for kinds whose executors have outcomes (verify, run, guard). */
bool report_has_outcomes(const struct report *report);

/* True: no executor but foreign ones, and no process that is known to be an agent: neither its API
 * nor its work directory told an agent id. The wrong port, or the wrong host. */
bool report_has_nobody(const struct report *report);

/* The ended executors of a REPORT_WATCH as a report with outcomes. It borrows report's arrays. */
struct report report_ended(const struct report *report);

void report_free(struct report *report);

#endif
