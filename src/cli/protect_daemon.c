/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/protect_daemon.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act/lock.h"
#include "base/error.h"
#include "base/now.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/own_traffic.h"
#include "cli/protecting.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "model/verdict_table.h"

#define QUESTION "Set keepalive on the links of this agent's executors, now and as they register?"

/* Executors register in crowds, and an entry exists once their first packets were answered. */
#define SETTLE	    (NS_PER_S / 2)
#define SETTLE_MOST (5 * NS_PER_S) /* also while events come all the time */
/*
 * What could not be judged yet (the agent recovers, the checkpoint is not written) is looked at
 * again after 1, 2, 4, ... s, for about four minutes after the last event.
 */
#define RETRIES 8
/* The loss of events wakes nobody. Only the counters are read. */
#define LOSS_CHECK_MS 60000

struct protector {
	const struct options *options;
	struct session *session;
	struct own_traffic own;
	int64_t next;	/* when to look at the node, mono ns; 0: after the next event */
	int64_t latest; /* no event moves it beyond that; 0: there was none since the last look */
	unsigned tries; /* since the last event */
	bool messages;	/* protocol messages are observed: they tell of registrations */
	bool first;	/* the first look: all that is refused is told */
};

/* ---- events ---- */

static void wake(struct protector *p)
{
	int64_t now = now_mono();

	if (!p->latest)
		p->latest = now + SETTLE_MOST;
	p->next = now + SETTLE < p->latest ? now + SETTLE : p->latest;
	p->tries = 0;
}

/* Registered by the agent, or about to subscribe. */
static bool is_registration(const struct protector *p, const struct fact *fact)
{
	static const char *const names[] = { "ExecutorRegisteredMessage",
					     "ExecutorReregisteredMessage", "SUBSCRIBE", "TLS" };

	if (fact->type == FACT_MESSAGE)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcmp(fact->message.name, names[i]) == 0)
				return true;
	return !p->messages && fact->type == FACT_TCP && fact->tcp.to == TCP_ESTABLISHED &&
	       fact->tcp.remote.port == p->options->port;
}

/* Its executors are known to register only once it is followed. */
static bool is_new_agent(const struct protector *p, const struct fact *fact)
{
	return fact->type == FACT_TCP && fact->tcp.to == TCP_LISTEN &&
	       fact->tcp.local.port == p->options->port;
}

static void act_tell(const struct protector *p, const struct fact_act *act)
{
	if (strcmp(act->phase, "result") != 0 || strcmp(act->action, "protect") != 0)
		return;
	if (strcmp(act->result, "done") == 0)
		log_message("%s (pid %d) is protected: keepalive every %u s", act->executor_id,
			    act->pid, act->idle);
	else if (strcmp(act->result, "failed") == 0 ||
		 (strcmp(act->result, "refused") == 0 && (p->first || *act->method)))
		log_message("%s (pid %d) is not protected: %s", act->executor_id, act->pid,
			    act->reason);
}

static void note(void *ctx, const struct fact *fact)
{
	struct protector *p = ctx;

	if (own_traffic_event(&p->own, fact))
		return;
	if (fact->type == FACT_ACT)
		act_tell(p, &fact->act);
	else if (is_registration(p, fact) || is_new_agent(p, fact))
		wake(p);
}

/* ---- one look ---- */

/* Executors that may turn out to be ones to protect. */
static bool is_unsettled(const struct report *audit)
{
	for (size_t i = 0; i < audit->n_executors; i++) {
		const struct report_executor *e = &audit->executors[i];

		if (e->verdict == VERDICT_UNKNOWN || e->verdict == VERDICT_UNREGISTERED ||
		    (e->forbidden && verdict_touch(e->verdict) != TOUCH_NEVER))
			return true;
	}
	return false;
}

static void try_again(struct protector *p)
{
	p->next = p->tries < RETRIES ? now_mono() + (NS_PER_S << p->tries) : 0;
	p->tries++;
}

/* By an audit that is not older than the lock. False: another execwatch acts just now. */
static bool act(struct protector *p)
{
	struct report *audit;
	struct error error = { 0 };
	int lock, err = act_lock_take(p->options->run_dir, "acting", &lock, &error);

	if (err) {
		if (err != -EBUSY)
			log_error(&error);
		return false;
	}
	audit = session_audit(p->session);
	if (audit)
		(void)protecting_act(p->options, p->session, audit, NULL);
	report_free(audit);
	close(lock);
	return true;
}

static void look(struct protector *p)
{
	struct report *audit;
	unsigned tries = p->tries;
	bool done = true;

	p->next = p->latest = 0;
	audit = session_audit(p->session);
	if (!audit)
		return;
	session_follow(p->session, audit);
	p->messages = model_has_hook(session_model(p->session), "messages");
	if (p->first || protecting_needed(p->options, audit))
		done = act(p);
	p->first = false;
	session_dispatch(p->session); /* an event of meanwhile sets p->next */
	if (!p->next && (!done || is_unsettled(audit))) {
		p->tries = tries;
		try_again(p);
	}
	report_free(audit);
}

/* ---- the loop ---- */

static int wait_ms(const struct protector *p)
{
	int64_t left = p->next - now_mono();

	if (!p->next)
		return LOSS_CHECK_MS;
	return left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

static void loop(struct protector *p)
{
	struct pollfd fds[] = { { .fd = session_fd(p->session), .events = POLLIN },
				{ .fd = interrupt_fd(), .events = POLLIN } };

	while (*interrupt_count() == 0) {
		if (poll(fds, 2, wait_ms(p)) < 0 && errno != EINTR)
			return;
		session_dispatch(p->session);
		if (session_lost(p->session))
			wake(p);
		if (p->next && now_mono() >= p->next)
			look(p);
	}
}

static int run(struct protector *p)
{
	int code;

	if (!session_sees_connections(p->session)) {
		log_message(
			"protect --daemon needs events of connections, which BPF programs give: "
			"'execwatch doctor' says what they lack here; 'execwatch protect' "
			"without --daemon works");
		return EXIT_UNKNOWN;
	}
	code = p->options->yes ? 0 : treat_ask(QUESTION);
	if (code)
		return code;
	session_listen(p->session, (struct fact_sink){ note, p });
	look(p);
	log_message("waiting for executors to register with the agent on port %u",
		    p->options->port);
	loop(p);
	session_listen(p->session, (struct fact_sink){ 0 });
	log_message("ended by a signal; the links stay protected ('execwatch protect --undo')");
	return EXIT_WELL;
}

/* One at a time for a port. Returns 0, or the exit code to end with. */
static int lock_take(const struct options *options, int *lock)
{
	struct error error = { 0 };
	char name[32];
	int err;

	snprintf(name, sizeof(name), "protecting-%u", options->port);
	err = act_lock_take(options->run_dir, name, lock, &error);
	if (!err)
		return 0;
	log_error(&error);
	return err == -EBUSY ? EXIT_BUSY : EXIT_UNKNOWN;
}

int protect_daemon(const struct options *options)
{
	struct protector p = { .options = options, .own.pid = getpid(), .first = true };
	struct error error = { 0 };
	int lock, code = lock_take(options, &lock);

	if (code)
		return code;
	if (interrupt_install(false, &error) < 0 || session_open(options, &p.session, &error) < 0) {
		log_error(&error);
		close(lock);
		return EXIT_UNKNOWN;
	}
	code = session_end(p.session, run(&p));
	close(lock);
	return code;
}
