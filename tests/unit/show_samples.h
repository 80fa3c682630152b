/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reports as the model may make them: every verdict, every outcome, and names as strangers choose
 * them. */
#ifndef EW_TEST_SHOW_SAMPLES_H
#define EW_TEST_SHOW_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/report.h"

#define S	     INT64_C(1000000000)
#define MINUTE	     (60 * S)
#define DAY	     (24 * 3600 * S)
#define NOW	     (INT64_C(1795503026) * S + 123456789) /* 2026-11-24T06:50:26.123Z */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct report_link links[] = {
	{ .fd = 9,
	  .inode = 50515,
	  .cookie = 4097,
	  .netns = 4026531840,
	  .state = 1,
	  .agent_end = EW_YES,
	  .conntrack = CONNTRACK_ENTRY,
	  .expires = 4 * DAY + 23 * 3600 * S,
	  .idle = 45 * S },
	{ .fd = 10,
	  .inode = 50516,
	  .cookie = UINT64_MAX,
	  .netns = 4026531840,
	  .state = 1,
	  .agent_end = EW_NO,
	  .conntrack = CONNTRACK_NONE,
	  .expires = -1,
	  .idle = 9 * DAY + 5 * 3600 * S },
	{ .fd = 11,
	  .inode = 50517,
	  .cookie = 4099,
	  .netns = 4026531840,
	  .state = 1,
	  .agent_end = EW_YES,
	  .conntrack = CONNTRACK_NONE,
	  .expires = -1,
	  .accepted = EW_NO,
	  .rule = "inet fw in handle 4: ct state invalid drop",
	  .cure = "nft insert rule inet fw in iifname lo accept",
	  .at_risk = true,
	  .idle = 5 * DAY + 12 * 3600 * S },
	{ .fd = -1,
	  .inode = 50518,
	  .cookie = 4100,
	  .netns = 4026532999,
	  .state = 1,
	  .agent_end = EW_UNKNOWN,
	  .conntrack = CONNTRACK_UNKNOWN,
	  .expires = -1,
	  .idle = -1 },
	{ .fd = 12,
	  .inode = 50519,
	  .cookie = 4101,
	  .netns = 4026531840,
	  .state = 1,
	  .agent_end = EW_YES,
	  .conntrack = CONNTRACK_OFF,
	  .expires = -1,
	  .idle = 751 * S + S / 10 },
	{ .fd = 13,
	  .inode = 50520,
	  .cookie = 4102,
	  .netns = 4026531840,
	  .state = 1,
	  .agent_end = EW_YES,
	  .conntrack = CONNTRACK_ENTRY,
	  .expires = 1175 * S,
	  .idle = 25 * S,
	  .keepalive = { .on = true,
			 .idle = 600,
			 .interval = 600,
			 .count = 127,
			 .probe_in = 575 * S,
			 .renewed = EW_YES,
			 .lifetime = 1200 * S } },
};

static const char *const tasks_web[] = { "web.1" };
static const char *const tasks_many[] = { "db", "sidecar", "logger" };
static const char *const tasks_odd[] = { "rm -rf \"$HOME\"; echo\n\x1b[31m\xe2\x80\xae"
					 "evil" };
static const char *const tasks_wide[] = {
	"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe3\x81\xae\xe3\x82\xbf\xe3\x82\xb9\xe3\x82\xaf"
	"-caf\x65\xcc\x81-with-a-name-that-has-no-end"
};
static const char *const tasks_bytes[] = { "\xff\xfe latin-1 \xe9" };

static const char *const why_link[] = {
	"Link 10.0.0.7:40000 to 10.0.0.7:5051 has no agent's end: this executor does not learn "
	"that "
	"the agent is gone.",
	"Its library is Mesos 1.0.4 (from its library): it replies on the old connection when "
	"asked to reconnect (no relink before 1.1.2)."
};
static const char *const why_unknown[] = {
	"Its environment could not be read, so whose executor it is cannot be told."
};
static const char *const why_killed[] = { "pid 4242 (oom_reaper) sent it signal 9 at 06:49:58Z." };

#define EXECUTOR(id, v)                                                                            \
	.executor_id = id, .framework_id = "f-0001", .container_id = "c-" id,                      \
	.comm = "mesos-executor", .checkpoint = true, .verdict = v

#define TREAT "Run 'execwatch shutdown', then restart the agent within 15 min."

static struct report_executor verdicts[] = {
	{ EXECUTOR("nocheck", VERDICT_NO_CHECKPOINT), .pid = 101, .start = 11, .tasks = tasks_web,
	  .n_tasks = 1, .links = &links[0], .n_links = 1,
	  .advice = "Its task is lost when the agent restarts: move it away first, or accept that.",
	  .forbidden = "its framework does not checkpoint: it would end at once" },
	{ EXECUTOR("fresh", VERDICT_UNREGISTERED), .pid = 102, .start = 12,
	  .advice = "Wait until it has registered, then audit again; a restart now loses it." },
	{ EXECUTOR("gone", VERDICT_DISCONNECTED), .pid = 103, .start = 13,
	  .library_version = "1.0.4", .disconnected = NOW - 2 * MINUTE,
	  .deadline = NOW + 13 * MINUTE,
	  .advice =
		  "Restart the agent soon. Never treat it: a second disconnect ends it at once." },
	{ EXECUTOR("stale", VERDICT_HALF_OPEN), .pid = 4194304, .start = UINT64_MAX,
	  .tasks = tasks_many, .n_tasks = 3, .links = &links[1], .n_links = 1, .why = why_link,
	  .n_why = 2, .advice = TREAT },
	{ EXECUTOR("odd", VERDICT_HALF_OPEN), .pid = 105, .start = 15, .tasks = tasks_odd,
	  .n_tasks = 1, .links = &links[0], .n_links = 2, .why = why_link, .n_why = 2,
	  .advice = TREAT },
	{ EXECUTOR("v1", VERDICT_HALF_OPEN), .pid = 106, .start = 16, .protocol = PROTOCOL_V1,
	  .links = &links[1], .n_links = 1,
	  .advice = "Run 'execwatch shutdown': it subscribes again at once, and no clock is "
		    "started." },
	{ EXECUTOR("wide", VERDICT_AT_RISK), .pid = 107, .start = 17, .tasks = tasks_wide,
	  .n_tasks = 1, .links = &links[2], .n_links = 1,
	  .advice = TREAT " To prevent it for good, accept loopback traffic, and add that to "
			  "what loads the firewall at boot:\n\t"
			  "nft insert rule inet fw in iifname lo accept" },
	{ EXECUTOR("\xff\xfe", VERDICT_UNKNOWN), .pid = 108, .start = 18, .tasks = tasks_bytes,
	  .n_tasks = 1, .links = &links[3], .n_links = 1, .why = why_unknown, .n_why = 1,
	  .advice = "Run as root." },
	{ EXECUTOR("other", VERDICT_FOREIGN), .pid = 109, .start = 19, .links = &links[4],
	  .n_links = 1, .forbidden = "it belongs to another agent" },
	{ EXECUTOR("heals", VERDICT_SELF_HEALING), .pid = 110, .start = 20, .links = &links[2],
	  .n_links = 1, .library_version = "1.9.0" },
	{ EXECUTOR("fine", VERDICT_HEALTHY), .pid = 111, .start = 21, .links = &links[5],
	  .n_links = 1, .recovery_timeout = 1500000000 },
};

static struct report_executor outcomes[] = {
	{ EXECUTOR("impatient", VERDICT_UNKNOWN), .pid = 201, .start = 1, .tasks = tasks_web,
	  .n_tasks = 1, .outcome = OUTCOME_SELF_TERMINATED, .ended = NOW - 30 * S,
	  .disconnected = NOW - 15 * MINUTE - 30 * S,
	  .advice = "The task is lost: let its framework start it again." },
	{ EXECUTOR("deaf", VERDICT_UNKNOWN), .pid = 202, .start = 2,
	  .outcome = OUTCOME_KILLED_BY_AGENT, .ended = NOW - 28 * S,
	  .advice = "The task is lost: let its framework start it again." },
	{ EXECUTOR("hit", VERDICT_UNKNOWN), .pid = 203, .start = 3, .outcome = OUTCOME_KILLED,
	  .ended = NOW - 28 * S, .killer = 4242, .killer_comm = "oom_reaper", .why = why_killed,
	  .n_why = 1, .advice = "The task is lost: let its framework start it again." },
	{ EXECUTOR("segv", VERDICT_UNKNOWN), .pid = 204, .start = 4, .outcome = OUTCOME_CRASHED,
	  .ended = NOW - 20 * S, .advice = "Look at the end of its stderr in its sandbox." },
	{ EXECUTOR("late", VERDICT_UNKNOWN), .pid = 205, .start = 5, .outcome = OUTCOME_WAITING,
	  .disconnected = NOW - 2 * MINUTE, .deadline = NOW + 751 * S,
	  .advice = "Start the agent before the deadline." },
	{ EXECUTOR("patient", VERDICT_UNKNOWN), .pid = 206, .start = 6, .tasks = tasks_odd,
	  .n_tasks = 1, .outcome = OUTCOME_WAITING, .disconnected = NOW - 2 * MINUTE,
	  .deadline = NOW + DAY - MINUTE, .advice = "Start the agent before the deadline." },
	{ EXECUTOR("dark", VERDICT_UNKNOWN), .pid = 0, .outcome = OUTCOME_UNKNOWN,
	  .why = why_unknown, .n_why = 1,
	  .advice = "Look at the end of its stderr in its sandbox, and at the agent's log." },
	{ EXECUTOR("back-m", VERDICT_UNKNOWN), .pid = 207, .start = 7, .links = &links[0],
	  .n_links = 1, .outcome = OUTCOME_REREGISTERED, .proof = PROOF_MESSAGE },
	{ EXECUTOR("back-a", VERDICT_UNKNOWN), .pid = 208, .start = 8, .links = &links[0],
	  .n_links = 1, .outcome = OUTCOME_REREGISTERED, .proof = PROOF_API },
	{ EXECUTOR("back-l", VERDICT_UNKNOWN), .pid = 209, .start = 9, .links = &links[0],
	  .n_links = 1, .outcome = OUTCOME_REREGISTERED, .proof = PROOF_LINK },
	{ EXECUTOR("kept", VERDICT_UNKNOWN), .pid = 210, .start = 10, .links = &links[0],
	  .n_links = 1, .outcome = OUTCOME_KEPT },
	{ EXECUTOR("ready", VERDICT_UNKNOWN), .pid = 211, .start = 11, .outcome = OUTCOME_FINISHED,
	  .ended = NOW - 60 * S },
};

#define SHUTDOWN_ACT                                                                               \
	"shutdown", "", "", { 0 },                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

static struct report_act acts[] = {
	{ "stale", "f-0001", 4194304, 10, "ptrace", "done",
	  "children forked during the injection have inherited copies of the socket (1 in all, one "
	  "is "
	  "descriptor 240 of process 4194305): the connection was ended in their place",
	  "", 85000, 1234567, NOW - 9 * S, 131000, 1, 0, SHUTDOWN_ACT },
	{ "odd \n\x1b[2J", "f-0001", 105, 9, "pidfd", "done", "", "", -1, 2500000000, NOW - 8 * S,
	  -1, 0, 0, SHUTDOWN_ACT },
	{ "v1", "f-0001", 106, 10, "ptrace", "failed",
	  "the executor has not closed the socket within 5 s: its event loop may be stuck, so look "
	  "at it before the restart",
	  "not-closed", 120000, -1, NOW - 7 * S, 190000, -1, -1, SHUTDOWN_ACT },
	{ "gone", "f-0001", 103, -1, "", "refused",
	  "it is disconnected: a second disconnect would end it at once", "forbidden", -1, -1,
	  NOW - 6 * S, -1, -1, -1, SHUTDOWN_ACT },
	{ "fine", "f-0001", 111, 12, "", "skipped", "dry run", "dry-run", -1, -1, NOW - 6 * S, -1,
	  -1, -1, SHUTDOWN_ACT },
};

static struct report_other others[] = {
	{ 812, "mesos-master", 2 },
	{ 99, "curl", 1 },
	{ 0, "", 3 },
};

static const char *const notes[] = {
	"Could not read /proc/108/environ: Permission denied.",
	"7 events were lost in the kernel: what they would have shown is not known."
};

static struct report report_new(enum report_kind kind, struct report_executor *executors, size_t n)
{
	struct report report = {
		.kind = kind,
		.tool = "0.1.0",
		.host = "node-17",
		.boot_id = "1f0c2b9e-3c39-4c65-9e0a-5d2a8b6a7f11",
		.generated = NOW,
		.agent_port = 5051,
		.agent = { .pid = 811,
			   .start = 777,
			   .comm = "mesos-agent",
			   .version = "1.0.4",
			   .slave_id = "s-1",
			   .work_dir = "/var/lib/mesos",
			   .api = "serving",
			   .serving = true },
		.executors = executors,
		.n_executors = n,
		.events_seen = 1234,
		.messages = "tp_btf/tcp_sendmsg",
		.clocks = { { "executors", 0 }, { "master", 0 }, { "agent", 0 } },
	};

	addr_parse("10.0.0.7:5051", &report.agent.listen);
	for (size_t i = 0; i < n; i++) {
		struct report_executor *e = &executors[i];

		e->advice = e->advice ? e->advice : "";
		e->protocol = e->protocol ? e->protocol : PROTOCOL_V0;
		e->recovery_timeout = e->recovery_timeout ? e->recovery_timeout : 15 * MINUTE;

		report.verdicts[e->verdict]++;
		report.outcomes[e->outcome]++;
		e->severity = report_has_outcomes(&report) ? outcome_severity(e->outcome)
							   : verdict_severity(e->verdict);
	}
	return report;
}

static struct report_finding findings[] = {
	{ .id = "conntrack-full",
	  .severity = SEVERITY_CRITICAL,
	  .evidence = "Connection tracking of network namespace 4026531840 has 65536 entries of at "
		      "most 65536.",
	  .effect = "The kernel evicts entries and drops new connections.",
	  .cure = "Raise the limit before the restart:\n\t"
		  "sysctl -w net.netfilter.nf_conntrack_max=131072" },
	{ .id = "impostor-agent",
	  .severity = SEVERITY_WARNING,
	  .evidence =
		  "Process 99 (a\n\tb) of user 1000 listens on 127.0.0.2:5051 as an agent would, "
		  "but the agent's work directory belongs to user 0.",
	  .effect = "It is not asked and not believed.",
	  .cure = "Find out what this process is, and end it if it is not meant to be there.",
	  .ignored = true },
};

static struct report sample_audit(void)
{
	struct report report = report_new(REPORT_AUDIT, verdicts, COUNT(verdicts));

	report.findings = findings;
	report.n_findings = COUNT(findings);
	report.others = others;
	report.n_others = COUNT(others);
	report.notes = notes;
	report.n_notes = COUNT(notes);
	report.events_lost = 7;
	report.messages_best_effort = true;
	report.clocks[0].deadline = NOW + 13 * MINUTE;
	report.exit_code = 2;
	return report;
}

/* The same executor 480 times, as an agent that is well has them, and one that is not. */
static struct report sample_many(void)
{
	static struct report_executor many[481];

	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = verdicts[10];
	many[480] = verdicts[6];
	return report_new(REPORT_AUDIT, many, COUNT(many));
}

static struct report sample_healthy(void)
{
	return report_new(REPORT_AUDIT, &verdicts[8], 3);
}

static struct report sample_treatable(void)
{
	struct report report = report_new(REPORT_AUDIT, &verdicts[3], 4);

	report.exit_code = 1;
	return report;
}

static struct report sample_none(void)
{
	struct report report = report_new(REPORT_AUDIT, NULL, 0);

	report.agent = (struct report_agent){
		.comm = "", .version = "", .slave_id = "", .work_dir = "", .api = "down"
	};
	report.messages = "";
	report.exit_code = 3;
	return report;
}

static struct report sample_foreign(void)
{
	static struct report_other nameless = { 5391, "", 1 };
	struct report report = report_new(REPORT_AUDIT, &verdicts[8], 1);

	report.agent.comm = "";
	report.others = &nameless;
	report.n_others = 1;
	return report;
}

static struct report sample_shutdown(void)
{
	struct report report = report_new(REPORT_SHUTDOWN, verdicts, COUNT(verdicts));

	report.acts = acts;
	report.n_acts = COUNT(acts);
	report.clocks[0].deadline = NOW + 15 * MINUTE - 9 * S;
	report.exit_code = 2;
	return report;
}

static struct report sample_verify(void)
{
	struct report report = report_new(REPORT_VERIFY, outcomes, COUNT(outcomes));

	report.agent.restarted = true;
	report.agent.api = "recovering";
	report.agent.serving = false;
	report.baseline = (struct report_baseline){ NOW - 600 * S, 710, 666 };
	report.clocks[0].deadline = NOW + 751 * S;
	report.clocks[1].deadline = NOW - 3 * S;
	report.clocks[2].deadline = NOW + 2 * S;
	report.exit_code = 2;
	return report;
}

static struct report sample_run(void)
{
	struct report report = report_new(REPORT_RUN, &outcomes[7], 5);

	report.agent.restarted = true;
	report.acts = acts;
	report.n_acts = 1;
	report.command = "systemctl restart 'dcos-mesos-slave'";
	report.command_ended = true;
	report.command_status = 3 << 8;
	return report;
}

static struct report sample_interrupted(void)
{
	struct report report = report_new(REPORT_RUN, &outcomes[4], 2);

	report.command = "sleep 1d";
	report.command_ended = true;
	report.command_status = 2;
	report.interrupted = true;
	report.agent.pid = 0;
	report.exit_code = 3;
	return report;
}

/* Three whose deadline has passed: one waits, one is ending, one should have ended. */
static struct report sample_ending(void)
{
	static const char *const why[] = {
		"Its recovery timeout has run out: it is ending itself."
	};
	static const char *const overdue[] = { "It should have ended itself by now, and lives." };
	static struct report_executor late[3];
	struct report report;

	late[0] = late[1] = late[2] = outcomes[4];
	late[1].executor_id = "ending", late[2].executor_id = "overdue";
	for (size_t i = 1; i < 3; i++) {
		late[i].tasks = &late[i].executor_id;
		late[i].severity = SEVERITY_CRITICAL;
		late[i].deadline = NOW - 2 * S * (int64_t)i * (int64_t)i;
		late[i].ends_by = late[i].deadline + 6 * S;
		late[i].why = i == 1 ? why : overdue;
		late[i].n_why = 1;
		late[i].advice = i == 1 ? "An agent that comes now is too late: let its framework "
					  "start its task again."
					: "See whether it is stopped or frozen, and look at the "
					  "end of its stderr in its sandbox.";
	}
	report = report_new(REPORT_RUN, late, 3);
	report.ending = 2;
	report.agent.pid = 0;
	report.exit_code = 2;
	return report;
}

static const struct {
	const char *name;
	struct report (*make)(void);
} samples[] = {
	{ "audit", sample_audit },	 { "many", sample_many },
	{ "healthy", sample_healthy },	 { "treatable", sample_treatable },
	{ "none", sample_none },	 { "foreign", sample_foreign },
	{ "shutdown", sample_shutdown }, { "verify", sample_verify },
	{ "run", sample_run },		 { "interrupted", sample_interrupted },
	{ "ending", sample_ending },
};

/* Once, before any is made. */
static inline void samples_init(void)
{
	for (size_t i = 0; i < COUNT(links); i++) {
		addr_parse("10.0.0.7:40000", &links[i].local);
		addr_parse(i == 3 ? "[fe80::1]:5051" : "10.0.0.7:5051", &links[i].remote);
	}
}

#endif
