/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the next start changes against the running agent, and what that does to its executors. */
#include <string.h>

#include "base/arena.h"
#include "mesos/duration.h"
#include "model/findings_next.h"
#include "model/judge/evidence.h"
#include "model/judge/identity.h"

/* ---- what the agent finds of its past ---- */

/* An address that is not given is found by the host's name: it may be the same. */
static void address(const struct next_subject *s)
{
	const char *name = next_changes(s, "advertise_ip") == EW_YES ? "advertise_ip" : "ip";

	if (next_changes(s, name) == EW_YES)
		next_finding(s, FINDING_AGENT_ADDRESS_CHANGED,
			     next_value(s, name) ? SEVERITY_CRITICAL : SEVERITY_WARNING,
			     next_change_text(s, name), "Keep the address until no executor runs.");
}

/* libprocess ends when it cannot bind (process.cpp, initialize()). */
static void address_is_here(const struct next_subject *s)
{
	const struct fact_flag *ip = store_flag(s->store, s->agent, true, "ip");
	bool told = s->store->node.bound == EW_NO && next_changes(s, "ip") == EW_NO;

	if (s->next->bound != EW_NO || !ip || told)
		return;
	next_finding(s, FINDING_ADDRESS_GONE, SEVERITY_CRITICAL,
		     arena_printf(s->arena,
				  "The next start binds %s (%s), an address that no interface of "
				  "the agent's network namespace has.",
				  ip->value, ip->source),
		     "Give the address to an interface (ip address add), or start the agent with "
		     "the --ip that is there.");
}

/*
 * With SSL a socket takes plain connections, and falls back to them, only under SUPPORT_DOWNGRADE
 * (Mesos docs/ssl.md; libprocess src/posix/libevent/libevent_ssl_socket.cpp). An executor has the
 * settings of the agent that started it.
 */
static void ssl(const struct next_subject *s)
{
	static const char enabled[] = "LIBPROCESS_SSL_ENABLED";
	static const char downgrade[] = "LIBPROCESS_SSL_SUPPORT_DOWNGRADE";
	bool on = next_is_true(next_value(s, enabled));
	const char *falls_back = on ? next_value(s, downgrade) : running_value(s, downgrade);

	if (!s->view->n_executors || next_changes(s, enabled) != EW_YES || next_is_true(falls_back))
		return;
	next_finding(s, FINDING_SSL_CHANGED, SEVERITY_CRITICAL, next_change_text(s, enabled),
		     on ? "Set LIBPROCESS_SSL_SUPPORT_DOWNGRADE=true as long as executors run that "
			  "were started without SSL."
			: "Keep SSL on until the executors that were started with it have ended.");
}

/* Mesos slave/main.cpp, --work_dir; slave/state.cpp, recover(). */
static void directories(const struct next_subject *s)
{
	if (next_changes(s, "work_dir") == EW_YES)
		next_finding(s, FINDING_WORK_DIR_CHANGED, SEVERITY_CRITICAL,
			     next_change_text(s, "work_dir"),
			     "Start it with the old work directory.");
	if (next_changes(s, "runtime_dir") == EW_YES)
		next_finding(s, FINDING_RUNTIME_DIR_CHANGED, SEVERITY_CRITICAL,
			     next_change_text(s, "runtime_dir"),
			     "Start it with the old runtime directory.");
}

static void recovery(const struct next_subject *s)
{
	const char *recover = next_value(s, "recover");

	if (recover && strcmp(recover, "reconnect") != 0)
		next_finding(s, FINDING_RECOVER_CLEANUP, SEVERITY_CRITICAL,
			     arena_printf(s->arena, "The next start has --recover=%s.", recover),
			     "Start it with --recover=reconnect.");
	if (next_changes(s, "strict") == EW_YES && !next_is_true(next_value(s, "strict")))
		next_finding(s, FINDING_RECOVERY_NOT_STRICT, SEVERITY_WARNING,
			     next_change_text(s, "strict"),
			     "Start it with --strict=true, and see docs/findings.md for what the "
			     "checkpoints "
			     "lack.");
}

/* ---- timeouts ---- */

static int64_t duration_of(const char *value)
{
	int64_t ns;

	return value && mesos_duration_parse(mesos_span_of(value), &ns) == 0 ? ns : 0;
}

static void timeouts(const struct next_subject *s)
{
	static const char *const names[] = { "executor_reregistration_timeout",
					     "executor_reregistration_retry_interval" };
	int64_t old = duration_of(running_value(s, names[0]));
	int64_t now = duration_of(next_value(s, names[0]));
	const char *retry = next_value(s, names[1]);

	if (next_changes(s, names[0]) == EW_YES && now && now < old)
		next_finding(s, FINDING_TIMEOUTS_CHANGED, SEVERITY_WARNING,
			     next_change_text(s, names[0]),
			     "Do not shorten it in the upgrade that restarts the agent.");
	if (next_changes(s, names[1]) == EW_YES && retry && !*retry)
		next_finding(s, FINDING_TIMEOUTS_CHANGED, SEVERITY_WARNING,
			     next_change_text(s, names[1]),
			     "Keep the retries while executors with libraries before 1.1.2 run.");
	if (next_changes(s, "recovery_timeout") == EW_YES)
		next_finding(s, FINDING_TIMEOUTS_CHANGED, SEVERITY_OK,
			     next_change_text(s, "recovery_timeout"),
			     "Count on the old value for the executors that run now.");
}

/* ---- authentication ---- */

static size_t count_v1(const struct executors *view)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_executors; i++)
		n += evidence_protocol(view->executors[i].checkpoint) == PROTOCOL_V1 &&
		     identity_of(view->store, &view->executors[i]) == WHOSE_OURS;
	return n;
}

/*
 * An executor gets its token when it is launched (Mesos slave/slave.cpp, generateSecret(); since
 * 1.3).
 */
static void authentication(const struct next_subject *s)
{
	static const char executors[] = "authenticate_http_executors";
	bool on = next_is_true(next_value(s, executors));
	size_t n = count_v1(s->view);
	const char *name = next_changes(s, executors) == EW_YES ? executors : "jwt_secret_key";

	if (on && n && next_changes(s, name) == EW_YES)
		next_finding(s, FINDING_EXECUTOR_AUTHENTICATION, SEVERITY_CRITICAL,
			     arena_printf(s->arena, "%s %zu v1 executors run.",
					  next_change_text(s, name), n),
			     "Keep it as it is until the v1 executors have ended.");
	if (next_changes(s, "credential") == EW_YES)
		next_finding(s, FINDING_CREDENTIAL_CHANGED, SEVERITY_WARNING,
			     next_change_text(s, "credential"),
			     "See that the master accepts the agent with it.");
}

/* ---- the whole ---- */

static bool version_find(struct next_subject *s)
{
	const char *text = *s->next->version ? s->next->version : s->store->api.version;

	return (*s->next->version || s->store->has_api) && text &&
	       mesos_version_parse(mesos_span_of(text), &s->version) == 0;
}

void findings_next_fill(const struct executors *view, struct report *report)
{
	struct next_subject s = { .store = view->store,
				  .view = view,
				  .report = report,
				  .arena = report->arena,
				  .agent = store_agent(view->store) };

	s.next = s.agent ? store_next_start(s.store, s.agent) : NULL;
	if (!s.next)
		return;
	s.has_version = version_find(&s);
	next_refused_fill(&s);
	next_info_fill(&s);
	address(&s);
	address_is_here(&s);
	ssl(&s);
	directories(&s);
	recovery(&s);
	next_containers_fill(&s);
	timeouts(&s);
	authentication(&s);
}
