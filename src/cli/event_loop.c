/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/event_loop.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/now.h"
#include "cli/child.h"
#include "cli/guard.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/session.h"
#include "base/error.h"

/* How often the host is scanned: with hooks to confirm events, without hooks as the only source. */
#define SCAN_WITH_HOOKS	   (10 * NS_PER_S)
#define SCAN_WITHOUT_HOOKS NS_PER_S
#define SCAN_SOONEST	   NS_PER_S /* after the last scan, when one is requested */
/* While a guard waits for somebody else's restart: new links that only a scan describes, and the
 * rest. */
#define SCAN_GUARDED	  (5 * NS_PER_S)
#define SCAN_GUARDED_REST (600 * NS_PER_S)
/* How often the agent's API is asked: while the agent recovers, and while it serves. */
#define ASK_OFTEN   (NS_PER_S / 2)
#define ASK_SELDOM  (30 * NS_PER_S)
#define CHECK_EVERY (NS_PER_S / 10)

struct loop_state {
	struct event_loop *window;
	struct event_base *base;
	struct event *tick, *hooks, *interrupt, *hangup, *child, *guard;
	enum event_loop_end end;
	int64_t began;
	int64_t scanned_at; /* time of the last scan, mono ns */
	int64_t asked;	    /* when the API was asked last, mono ns */
	bool agent_new;	    /* a process began to listen on the agent port */
	bool wanted;	    /* a scan is requested */
	bool changed;	    /* a fact has arrived since the last judgement */
	int64_t checked_at;
	int64_t next; /* when the judgement may change by time alone, mono ns; 0: only by facts */
	uint16_t port;
	struct fact_sink listener;
};

static void end(struct loop_state *loop, enum event_loop_end reason)
{
	loop->end = reason;
	event_base_loopbreak(loop->base);
}

static bool command_runs(struct loop_state *loop)
{
	struct fact_sink sink = session_sink(loop->window->session);

	return loop->window->command && !child_ended(loop->window->command, &sink);
}

static bool is_done(struct loop_state *loop, int64_t now)
{
	struct event_loop *w = loop->window;

	/* Always asked: a command that has ended is to be reaped. */
	if (command_runs(loop) || w->forever || w->until_ns)
		return false;
	if (!loop->changed && (!loop->next || now < loop->next))
		return false;
	loop->changed = false;
	session_glance(w->session);
	return model_done(session_model(w->session), w->until, &loop->next);
}

static void progress_check(struct loop_state *loop)
{
	struct event_loop *w = loop->window;
	int64_t now = now_mono();

	loop->checked_at = now;
	if (w->show && !w->show(w->ctx))
		end(loop, LOOP_UNSEEN);
	else if (w->until_ns && now - loop->began >= w->until_ns)
		end(loop, LOOP_BOUND);
	else if (is_done(loop, now))
		end(loop, LOOP_DONE);
}

/* Follows agents and executors that have appeared since the last scan. */
static void follow(struct session *session)
{
	struct report *report = model_report(session_model(session), REPORT_AUDIT);

	if (report)
		session_follow(session, report);
	report_free(report);
}

/* Nothing but the guard's plan is of interest until somebody else has ended the agent. */
static bool only_guards(const struct loop_state *loop)
{
	return guard_waits(loop->window->guard) && !loop->window->command;
}

static uint32_t scope_now(const struct loop_state *loop)
{
	const struct model *model = session_model(loop->window->session);
	uint32_t scope = loop->window->scope;

	/* A new executor is guarded once every source lists it. */
	if (only_guards(loop))
		return SCAN_ALL;
	if (model_wants_checkpoints(model))
		scope |= SCAN_CHECKPOINTS;
	if (model_wants_tracking(model))
		scope |= SCAN_TRACKING;
	return scope;
}

/* The interval begins at the end of a scan, since scanning a large node takes seconds. */
static void scan_now(struct loop_state *loop)
{
	loop->wanted = false;
	session_scan(loop->window->session, scope_now(loop));
	session_dispatch(loop->window->session);
	follow(loop->window->session);
	loop->scanned_at = now_mono();
	guard_scanned(loop->window->guard);
	guard_tend(loop->window->guard);
}

/* An armed guard acts before anything else is done. */
static void guard_check(struct loop_state *loop)
{
	loop->wanted |= guard_act(loop->window->guard);
	guard_tend(loop->window->guard);
}

static void on_guard(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	guard_check(ctx);
}

/*
 * A scan of a large node takes seconds, in which an armed guard could not act: while the command
 * runs that is to restart the agent, and hooks tell what happens, none is made just to confirm.
 */
static bool restart_is_due(struct loop_state *loop)
{
	return guard_waits(loop->window->guard) &&
	       session_sees_connections(loop->window->session) && command_runs(loop);
}

static bool scan_is_due(struct loop_state *loop)
{
	int64_t since = now_mono() - loop->scanned_at;

	/* Who it is should be known before it asks executors to reconnect. */
	if (loop->agent_new)
		return since >= SCAN_SOONEST / 5;
	if (only_guards(loop))
		return since >= (guard_wants_scan(loop->window->guard) || loop->wanted
					 ? SCAN_GUARDED
					 : SCAN_GUARDED_REST);
	if (loop->wanted)
		return since >= SCAN_SOONEST;
	if (session_sees_connections(loop->window->session))
		return since >= SCAN_WITH_HOOKS && !restart_is_due(loop);
	return since >= SCAN_WITHOUT_HOOKS;
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_state *loop = ctx;
	struct session *session = loop->window->session;
	int64_t now = now_mono();
	bool due;

	(void)fd;
	(void)what;
	session_dispatch(session);
	guard_check(loop);
	if (loop->window->tick)
		loop->window->tick(loop->window->tick_ctx);
	loop->wanted |=
		session_lost(session) || loop->agent_new ||
		(!guard_waits(loop->window->guard) && model_wants_tracking(session_model(session)));
	due = scan_is_due(loop);
	session_glance(session);
	if (now - loop->asked >=
		    (model_agent_serves(session_model(session)) ? ASK_SELDOM : ASK_OFTEN) &&
	    !(only_guards(loop) && model_agent_serves(session_model(session)))) {
		loop->asked = now;
		session_ask(session, loop->base);
	}
	loop->agent_new = false;
	if (due)
		scan_now(loop);
	progress_check(loop);
}

static void on_hooks(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_state *loop = ctx;

	(void)fd;
	(void)what;
	session_dispatch(loop->window->session);
	guard_check(loop);
	loop->wanted |= loop->agent_new;
	if (loop->wanted && scan_is_due(loop))
		scan_now(loop);
	loop->agent_new = false;
	/* A thousand executors that register at once are judged once, not a thousand times. */
	if (now_mono() - loop->checked_at > CHECK_EVERY)
		progress_check(loop);
}

/* The command is in a session of its own: what the terminal sends does not reach it by itself. */
static void interrupt_forward(const struct child *command)
{
	bool typed = interrupt_from_terminal();

	if (typed)
		kill(-command->pid, SIGINT);
	log_message("interrupted; the command (pid %d) %s. Watching goes on; Ctrl-C again ends it "
		    "with a report",
		    command->pid, typed ? "gets it too" : "goes on");
}

/*
 * One that came before the window opened ends it as well. While the command runs the first one is
 * the command's, and watching goes on to see what came of it.
 */
static void on_interrupt(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_state *loop = ctx;
	uint64_t times;

	(void)what;
	if (read(fd, &times, sizeof(times)) != sizeof(times))
		return;
	if (command_runs(loop) && *interrupt_count() == 1) {
		interrupt_forward(loop->window->command);
		return;
	}
	end(loop, LOOP_INTERRUPTED);
}

static void on_hangup(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_state *loop = ctx;
	uint64_t times;

	(void)what;
	if (read(fd, &times, sizeof(times)) == sizeof(times) && loop->window->hung_up)
		loop->window->hung_up(loop->window->hung_up_ctx);
}

static void on_child(evutil_socket_t fd, short what, void *ctx)
{
	struct loop_state *loop = ctx;

	(void)fd;
	(void)what;
	loop->changed = true;
	progress_check(loop);
}

static void listener_emit(void *ctx, const struct fact *fact)
{
	struct loop_state *loop = ctx;

	loop->changed = true;
	guard_note(loop->window->guard, fact);
	if (fact->type == FACT_TCP && fact->tcp.to == TCP_LISTEN &&
	    fact->tcp.local.port == loop->port)
		loop->agent_new = true;
	if (loop->listener.emit)
		fact_emit(&loop->listener, fact);
}

static int loop_build(struct loop_state *loop)
{
	struct timeval half = { .tv_usec = 500 * 1000 };
	int hooks = session_fd(loop->window->session);

	loop->base = event_base_new();
	if (!loop->base)
		return -ENOMEM;
	loop->tick = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
	loop->interrupt =
		event_new(loop->base, interrupt_fd(), EV_READ | EV_PERSIST, on_interrupt, loop);
	loop->hangup =
		event_new(loop->base, interrupt_hangup_fd(), EV_READ | EV_PERSIST, on_hangup, loop);
	loop->child = evsignal_new(loop->base, SIGCHLD, on_child, loop);
	if (!loop->tick || !loop->interrupt || !loop->hangup || !loop->child ||
	    event_add(loop->tick, &half) < 0 || event_add(loop->interrupt, NULL) < 0 ||
	    event_add(loop->hangup, NULL) < 0 || event_add(loop->child, NULL) < 0)
		return -ENOMEM;
	if (guard_fd(loop->window->guard) >= 0) {
		loop->guard = event_new(loop->base, guard_fd(loop->window->guard), EV_READ,
					on_guard, loop);
		if (!loop->guard || event_add(loop->guard, NULL) < 0)
			return -ENOMEM;
	}
	if (hooks < 0)
		return 0;
	loop->hooks = event_new(loop->base, hooks, EV_READ | EV_PERSIST, on_hooks, loop);
	return loop->hooks && event_add(loop->hooks, NULL) == 0 ? 0 : -ENOMEM;
}

static void loop_clear(struct loop_state *loop)
{
	struct event *events[] = { loop->tick,	 loop->hooks, loop->interrupt,
				   loop->hangup, loop->child, loop->guard };

	session_ask(loop->window->session, NULL);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (loop->base)
		event_base_free(loop->base);
}

int event_loop_run(struct event_loop *window, enum event_loop_end *ret, struct error *error)
{
	struct loop_state loop = {
		.window = window, .began = now_mono(), .end = LOOP_DONE, .changed = true
	};
	struct fact_sink nobody = { 0 };
	int err;

	if (restart_is_due(&loop) || only_guards(&loop))
		loop.scanned_at = loop.began; /* the gate has just had the node scanned */
	loop.port = session_port(window->session);
	loop.listener = session_listener(window->session);
	session_listen(window->session, (struct fact_sink){ listener_emit, &loop });
	err = loop_build(&loop);
	if (err) {
		error_set(error, err, NULL, "begin to watch");
		goto out;
	}
	event_active(loop.tick, EV_TIMEOUT, 0);
	if (event_base_dispatch(loop.base) < 0)
		err = error_set(error, -EIO, NULL, "wait for events");
out:
	session_listen(window->session, loop.listener.emit ? loop.listener : nobody);
	loop_clear(&loop);
	*ret = loop.end;
	return err;
}
