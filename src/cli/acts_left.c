/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/acts_left.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "act/audit_log.h"
#include "act/inject/inject_api.h"
#include "act/inject/inject_claims.h"
#include "act/inject/inject_copies.h"
#include "act/socket_effect.h"
#include "base/error.h"
#include "base/now.h"
#include "base/walltime.h"
#include "cli/log.h"
#include "cli/options.h"
#include "facts.h"

#define CLAIMS_WAIT NS_PER_S /* a killed process ends within some ms, on a busy host too */

enum { SEARCHES_MAX = 100 }; /* of all processes: some 30 ms each on a large node */

struct left {
	const struct options *options;
	struct audit_log *log; /* NULL: not open */
	size_t n;
};

void claims_left_tell(int lock)
{
	static const struct timespec pause = { .tv_nsec = NS_PER_MS };
	int64_t until = now_mono() + CLAIMS_WAIT;
	pid_t pid = 0, holder;

	while (inject_claims_next(lock, 0, &holder) && now_mono() < until)
		nanosleep(&pause, NULL);
	while ((pid = inject_claims_next(lock, pid, &holder)))
		log_message("an injector (pid %d) of an execwatch that was killed still works on "
			    "process %d, and does not end: that process is left alone; see what it "
			    "waits for in /proc/%d/stack",
			    holder, pid, holder);
}

static const char *state_of(enum socket_effect effect)
{
	switch (effect) {
	case SOCKET_OPEN:
		return "it still has the socket";
	case SOCKET_CLOSED:
		return "it has closed the socket";
	case SOCKET_PROCESS_ENDED:
		return "it has ended";
	default:
		return "what became of the socket cannot be read";
	}
}

static void result_log(struct left *left, const struct fact *intent, const char *reason,
		       const struct inject_copies *copies)
{
	struct fact fact = *intent;
	struct error error = { 0 };

	fact.mono = now_mono();
	fact.act.phase = "result";
	fact.act.result = "failed";
	fact.act.reason = reason;
	fact.act.reason_id = "killed";
	fact.act.copies = copies->n;
	fact.act.copies_left = copies->left;
	if (!left->log && audit_log_open(left->options->state_dir, &left->log, &error) < 0)
		log_warning_without(&error);
	if (left->log && audit_log_write(left->log, &fact, &error) < 0)
		log_warning_without(&error);
}

/* What became of the executor since; NULL: that does not depend on its socket. */
static const char *state_of_other(const struct fact_act *act)
{
	if (strcmp(act->action, "shutdown") == 0)
		return NULL;
	if (strcmp(act->action, "hold") == 0)
		return "it is not known whether it got the message; 'execwatch hold' sends it "
		       "again";
	return "its keepalive may be another one than before; 'execwatch protect' finishes that, "
	       "and with --undo restores it";
}

static void act_tell(void *ctx, const struct fact *intent)
{
	struct left *left = ctx;
	const struct fact_act *act = &intent->act;
	const struct inject_request request = { .pid = act->pid,
						.start = act->start,
						.fd = act->fd,
						.inode = act->inode,
						.cookie = act->cookie };
	const char *state = state_of_other(act);
	enum socket_effect effect = state ? SOCKET_UNKNOWN : socket_effect_read(&request);
	struct inject_copies copies = { .n = -1, .left = -1 };
	char reason[256];

	if (left->n++ == 0)
		log_message("an execwatch was killed while it acted; the results of these acts are "
			    "not known:");
	if ((effect == SOCKET_CLOSED || effect == SOCKET_PROCESS_ENDED) && left->n <= SEARCHES_MAX)
		inject_copies_search(&request, false, &copies);
	if (!state)
		state = state_of(effect);
	snprintf(reason, sizeof(reason),
		 "execwatch was killed before it had written the result; %s", state);
	log_message("  %s (pid %d): %s", act->executor_id, act->pid, state);
	if (copies.n > 0)
		log_message("  process %d may have inherited a copy of that socket during the act "
			    "(descriptor %d): the connection ends when the process does",
			    copies.pid, copies.fd);
	result_log(left, intent, reason, &copies);
}

void acts_left_tell(const struct options *options)
{
	struct left left = { .options = options };
	const struct fact_sink sink = { .emit = act_tell, .ctx = &left };
	struct error error = { 0 };

	if (audit_log_read_open(options->state_dir, walltime_offset(), &sink, &error) < 0)
		log_warning_without(&error);
	if (left.log && audit_log_sync(left.log, &error) < 0)
		log_warning_without(&error);
	audit_log_close(left.log);
}
