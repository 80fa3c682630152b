/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/event_text.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "show/units.h"

static const char *known(const char *text)
{
	return text ? text : "";
}

/* Only the states that matter to an operator who waits for an executor. */
static bool tcp_text(const struct fact_tcp *tcp, char *buf, size_t size)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	const char *what;
	int len;

	if (tcp->to == TCP_ESTABLISHED)
		what = "connected";
	else if (tcp->to == TCP_CLOSE_WAIT)
		what = "ended by the other side";
	else if (tcp->to == TCP_CLOSE && tcp->from != TCP_LISTEN)
		what = tcp->from == TCP_SYN_SENT ? "refused" : "closed";
	else
		return false;
	len = snprintf(buf, size, "%s to %s %s", addr_text(&tcp->local, local),
		       addr_text(&tcp->remote, remote), what);
	if (tcp->pid && len > 0 && (size_t)len < size)
		snprintf(buf + len, size - (size_t)len, " by pid %d", tcp->pid);
	return true;
}

static void exit_text(const struct fact_exit *ended, char *buf, size_t size)
{
	char status[UNITS_MAX];
	int len = snprintf(buf, size, "pid %d %s ended: %s", ended->pid, known(ended->comm),
			   units_status(ended->status, status));

	if (ended->killer && len > 0 && (size_t)len < size)
		snprintf(buf + len, size - (size_t)len, " from pid %d (%s)", ended->killer,
			 known(ended->killer_comm));
}

static void message_text(const struct fact_message *message, char *buf, size_t size)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];

	snprintf(buf, size, "%s from pid %d, %s to %s", known(message->name), message->pid,
		 addr_text(&message->local, local), addr_text(&message->remote, remote));
}

static void agent_text(const struct fact_agent *agent, char *buf, size_t size)
{
	char listen[ADDR_TEXT_MAX];

	if (agent->gone)
		snprintf(buf, size, "agent pid %d is gone", agent->pid);
	else
		snprintf(buf, size, "agent pid %d %s listens on %s", agent->pid, known(agent->comm),
			 addr_text(&agent->listen, listen));
}

static void act_text(const struct fact_act *act, char *buf, size_t size)
{
	if (strcmp(known(act->phase), "result") == 0)
		snprintf(buf, size, "%s of %s, pid %d fd %d: %s %s", known(act->action),
			 known(act->executor_id), act->pid, act->fd, known(act->result),
			 known(act->reason));
	else
		snprintf(buf, size, "%s of %s, pid %d fd %d begins", known(act->action),
			 known(act->executor_id), act->pid, act->fd);
}

static void child_text(const struct fact_command *command, char *buf, size_t size)
{
	char status[UNITS_MAX];

	if (strcmp(known(command->phase), "ended") == 0)
		snprintf(buf, size, "command ended: %s", units_status(command->status, status));
	else
		snprintf(buf, size, "command started: %s", known(command->text));
}

bool event_text(const struct fact *fact, char *buf, size_t size)
{
	switch (fact->type) {
	case FACT_TCP:
		return tcp_text(&fact->tcp, buf, size);
	case FACT_EXEC:
		snprintf(buf, size, "pid %d runs %s", fact->exec.pid, known(fact->exec.filename));
		return true;
	case FACT_EXIT:
		exit_text(&fact->exit, buf, size);
		return true;
	case FACT_SIGNAL:
		snprintf(buf, size, "signal %d to pid %d from pid %d (%s)", fact->signal.signal,
			 fact->signal.pid, fact->signal.sender, known(fact->signal.sender_comm));
		return true;
	case FACT_MESSAGE:
		message_text(&fact->message, buf, size);
		return true;
	case FACT_AGENT:
		agent_text(&fact->agent, buf, size);
		return true;
	case FACT_ACT:
		act_text(&fact->act, buf, size);
		return true;
	case FACT_COMMAND:
		child_text(&fact->command, buf, size);
		return true;
	default:
		return false;
	}
}
