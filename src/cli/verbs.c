/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/verbs.h"

#include "cli/options.h"

const struct verb verbs[] = {
	{
		.bit = DOCTOR,
		.name = "doctor",
		.summary = "can this host be watched and acted on? names what is missing, and the "
			   "cure",
		.details = "Checks privileges, kernel, BPF programs, the agent and its work dir. "
			   "Changes "
			   "nothing;\nwith --clean it unloads the observers that an earlier "
			   "execwatch has "
			   "left in the kernel.",
		.example = "execwatch doctor",
		.exits = { "audit, shutdown and watch work on this host",
			   "audit works; shutdown or watch does not", NULL, "audit does not work" },
		.bounded = true,
		.run = verb_doctor,
	},
	{
		.bit = AUDIT,
		.name = "audit",
		.summary = "read-only: a verdict for each executor, before a restart",
		.details =
			"Says for each executor what a restart of the agent would do to it, and "
			"what to "
			"do first.\nThe result is kept as the baseline that verify compares with.",
		.example = "execwatch audit",
		.exits = { "a restart loses no executor",
			   "executors would be lost, and can be treated first",
			   "executors will be lost whatever is done, or a finding is critical",
			   "what decides could not be read: do not restart" },
		.bounded = true,
		.run = verb_audit,
	},
	{
		.bit = SHUTDOWN,
		.name = "shutdown",
		.summary = "make executors notice that their connection to the agent is dead",
		.details =
			"Shuts the connection down in the executor itself, which then connects "
			"again "
			"when the new\nagent asks. A v0 executor ends itself unless the agent is "
			"restarted within its recovery\ntimeout (15 minutes by default). Without a "
			"terminal it needs --yes or --dry-run.",
		.example = "execwatch shutdown --dry-run",
		.exits = { "nothing is left to treat", "something is left untreated",
			   "executors will be lost, or are disconnected: restart the agent in time",
			   "what was done, or what is left, could not be found out" },
		.acts = true,
		.watches = true,
		.run = verb_shutdown,
	},
	{
		.bit = PROTECT,
		.name = "protect",
		.summary = "keep healthy links from going stale: TCP keepalive, set from outside",
		.details =
			"Sets keepalive on the executor's end of each link whose connection "
			"tracking entry still\nexists; probes then renew the entry for as long as "
			"the link lives. Each is proven: the values\nare read back, and the first "
			"probe, sent at once, is seen to renew the entry. A link whose\nentry is "
			"gone is refused: a probe would break it. Starts no executor's clock.",
		.example = "execwatch protect --yes",
		.exits = { "a restart loses no executor, and every link that can be is protected",
			   "a link was refused, or executors would be lost and can be treated",
			   "executors will be lost whatever is done, or a finding is critical",
			   "what was done, or what decides, could not be found out" },
		.acts = true,
		.run = verb_protect,
	},
	{
		.bit = HOLD,
		.name = "hold",
		.summary = "stop the clocks of executors that wait for an agent that is late",
		.details =
			"Tells each v0 executor that waits, by the agent's own message, that it is "
			"registered again:\nit then takes itself for registered with an agent that "
			"is "
			"not there, and no clock runs until\nit loses a link again. Status updates "
			"that it sends meanwhile stay queued. An agent that\nstarts later asks it "
			"to "
			"reconnect as usual. Refused while an agent answers, for v1 "
			"executors,\nand "
			"where the executor takes messages from its agent's address only.",
		.example = "execwatch hold --dry-run",
		.exits = { "nobody waits for an agent", "executors are held: start the agent",
			   "executors still wait with their clocks running, or will be lost",
			   "what was done, or what decides, could not be found out" },
		.acts = true,
		.run = verb_hold,
	},
	{
		.bit = WATCH,
		.name = "watch",
		.summary = "live: connections, life cycles, protocol messages",
		.details =
			"On a terminal a table that is redrawn; elsewhere, and with -f json or "
			"jsonl, "
			"one JSON object\na line for each event, and a summary as the last line.",
		.example = "execwatch watch -f jsonl --until 10m",
		.exits = { "at the end a restart would lose no executor",
			   "executors would be lost, and can be treated first",
			   "executors will be lost, or were lost",
			   "cannot be known, or events were lost" },
		.watches = true,
		.run = verb_watch,
	},
	{
		.bit = VERIFY,
		.name = "verify",
		.summary = "after a restart: is every executor registered again and alive?",
		.details =
			"Compares with the newest audit of an agent process that has ended (audit, "
			"shutdown and run\nkeep one for each agent process), and waits until "
			"each executor's outcome is certain. With\naudits of the present agent "
			"only, it compares with the newest of them and says that the agent\nwas "
			"not restarted; without any it ends with 3.",
		.example = "execwatch verify --until settled",
		.exits = { "every executor is registered again, or its task ended as it should",
			   "executors still wait for the agent", "executors are lost",
			   "what became of executors is not known" },
		.watches = true,
		.run = verb_verify,
	},
	{
		.bit = RUN,
		.name = "run",
		.summary = "the whole window: audit, shutdown, CMD (the restart), watch, verify",
		.details =
			"Audits, treats the links that need it, starts CMD, which is to restart "
			"the agent, and watches\nuntil each executor's outcome is certain. When "
			"the agent ends, the guard treats the links\nthat did not notice. CMD is "
			"not started while an executor would be lost or could not be\njudged, "
			"unless --accept names its verdict.",
		.example = "execwatch run --yes -- systemctl restart mesos-agent",
		.exits = { "the agent was restarted and every executor is registered again",
			   "the agent was not restarted, or executors still wait for it",
			   "executors are lost, or would be: then CMD was not started",
			   "what became of executors is not known, or CMD was not started for "
			   "that" },
		.takes_command = true,
		.acts = true,
		.guards = true,
		.watches = true,
		.run = verb_run,
	},
	{
		.bit = GUARD,
		.name = "guard",
		.summary = "stand by for a restart by somebody else: treat what does not notice it",
		.details =
			"Waits for the agent's end. At that moment the links that did not notice "
			"it are shut down,\nand no others, before the next agent asks their "
			"executors to reconnect; then it watches as\nverify does, and ends with a "
			"report. No clock is started that the restart does not start\nitself. "
			"Ctrl-C disarms it. Without a terminal it needs --yes or --dry-run.",
		.example = "execwatch guard --yes --until settled",
		.exits = { "the agent was restarted and every executor is registered again",
			   "the agent was not restarted, or executors still wait for it",
			   "executors are lost",
			   "what became of executors is not known, or it was disarmed by Ctrl-C" },
		.acts = true,
		.guards = true,
		.watches = true,
		.run = verb_guard,
	},
	{
		.bit = REPORT,
		.name = "report",
		.summary = "the report of the last run, or what a recording shows",
		.details =
			"Shows the newest report that run has kept in the state directory. With "
			"--replay it judges a\nrecording again, as the verb did that made it, and "
			"needs no privileges.",
		.example = "execwatch report --replay window.jsonl -f json",
		.exits = { "as the verb that made the report or the recording", "likewise",
			   "likewise", "likewise, or the recording is not complete" },
		.run = verb_report,
	},
	{ 0 },
};
