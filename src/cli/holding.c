/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/holding_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "act/audit_log.h"
#include "base/error.h"
#include "base/proc.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "mesos/environ.h"
#include "mesos/upid.h"
#include "observe/socket_look.h"

#define QUESTION                                                                                   \
	"Stop these clocks now? Each executor then takes itself for registered with an agent "     \
	"that is not there, until it loses a link again; status updates that it sends "            \
	"meanwhile stay queued."

#define ENVIRON_MAX (1 << 20)

/* ---- the plan ---- */

static size_t allowed(const struct holding *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += !h->plan[i].reason_id && !h->plan[i].changed;
	return n;
}

int holding_plan(struct holding *h, const struct report *audit)
{
	if (model_holds(audit, &h->options->choice, &h->plan, &h->n) == 0)
		return 0;
	h->plan = NULL;
	log_message("choose whom to hold: out of memory");
	return EXIT_UNKNOWN;
}

static int question(const struct holding *h)
{
	int code = output_holds(h->options, h->plan, h->n);

	return code ? code : treat_ask(QUESTION);
}

/* The agent may have come while the question stood. *ret, to be freed, has the texts. */
static int plan_renew(struct holding *h, struct report **ret)
{
	struct holding later = { .options = h->options };
	int code;

	*ret = session_audit(h->session);
	code = *ret ? holding_plan(&later, *ret) : EXIT_UNKNOWN;
	if (code)
		return code;
	model_holds_check(h->plan, h->n, later.plan, later.n);
	free(later.plan);
	for (size_t i = 0; i < h->n; i++)
		if (h->plan[i].changed)
			log_message("%s is left alone: %s", h->plan[i].executor_id,
				    h->plan[i].changed);
	if (allowed(h))
		return 0;
	log_message("nothing was done: nobody waits as it was planned; 'execwatch audit' shows the "
		    "node as it is now");
	return EXIT_ATTENTION;
}

/* ---- right before a message is sent ---- */

/* 0 or a negative errno; what the executor's libprocess was told of senders and TLS. */
static int environ_look(pid_t pid, struct mesos_env *env)
{
	char path[PROC_PATH_MAX], *text = malloc(ENVIRON_MAX);
	ssize_t len =
		text ? proc_read(AT_FDCWD, proc_path(path, pid, 0, "environ"), text, ENVIRON_MAX)
		     : -ENOMEM;

	if (len >= 0)
		mesos_env_parse(text, (size_t)len, env);
	free(text); /* only flags of *env are used */
	return len < 0 ? (int)len : 0;
}

static struct hold_refusal refuse(const char *id, const char *reason)
{
	return (struct hold_refusal){ id, reason };
}

static struct hold_refusal check(void *ctx, const struct hold_target *target, bool *only_own)
{
	struct holding *h = ctx;
	static const char unread[] = "the sockets could not be read: whether it listens at its "
				     "address, and whether an agent listens, is not known";
	struct mesos_env env;
	struct error error;
	int owned, listens;

	session_dispatch(h->session);
	if (environ_look(target->pid, &env) < 0 || !env.seen)
		return refuse("no-environment", "its environment could not be read: whether it "
						"takes the message is not known");
	if (env.tls)
		return refuse("tls", "its libprocess speaks TLS, which execwatch does not");
	*only_own = env.peer_match;
	owned = socket_look_owned(target->pid, &target->to, &error);
	if (owned < 0)
		return refuse("agent-unknown", unread);
	if (!owned)
		return refuse("not-listening", "it does not listen at the address that its "
					       "checkpoint names");
	listens = session_agent_listens(h->session); /* the last look before the message */
	if (listens < 0)
		return refuse("agent-unknown", unread);
	if (listens)
		return refuse("agent-answers", "an agent listens on the port now");
	return (struct hold_refusal){ 0 };
}

/* ---- the act ---- */

/* False: no message can be made of what is known. */
static bool message_make(const struct model_hold *hold, const char *hostname,
			 struct hold_target *target, char *bytes)
{
	struct mesos_upid to, agent;
	char id[64];
	struct mesos_reregistered message = {
		.agent = hold->slave_pid, .id = id, .slave_id = hold->slave_id, .hostname = hostname
	};

	if (mesos_upid_parse(mesos_span_of(hold->upid), &to) < 0 ||
	    mesos_upid_parse(mesos_span_of(hold->slave_pid), &agent) < 0 || to.id.len >= sizeof(id))
		return false;
	mesos_span_copy(to.id, id, sizeof(id));
	message.port = agent.addr.port;
	target->to = to.addr;
	target->from = agent.addr;
	target->bytes = bytes;
	target->len = mesos_reregistered(&message, bytes);
	return target->len;
}

static void target_make(const struct model_hold *hold, const char *hostname,
			struct hold_target *target, char *bytes)
{
	*target = (struct hold_target){
		.executor_id = hold->executor_id,
		.framework_id = hold->framework_id,
		.pid = hold->pid,
		.start = hold->start,
		.refused = hold->refused,
		.skipped = hold->changed ? hold->changed : hold->needless,
		.reason_id = hold->changed ? "changed" : hold->reason_id,
	};
	if (target->refused || target->skipped || message_make(hold, hostname, target, bytes))
		return;
	target->refused = "where it listens, or which agent it had, is not known";
	target->reason_id = "no-address";
}

int holding_targets(struct holding *h)
{
	struct utsname host = { 0 };

	uname(&host);
	h->targets = calloc(h->n + 1, sizeof(*h->targets));
	h->bytes = calloc(h->n + 1, sizeof(*h->bytes));
	if (!h->targets || !h->bytes) {
		log_message("hold %zu executors: out of memory", h->n);
		return EXIT_UNKNOWN;
	}
	for (size_t i = 0; i < h->n; i++)
		target_make(&h->plan[i], host.nodename, &h->targets[i], h->bytes[i]);
	return 0;
}

int holding_send(struct holding *h, bool *told_only)
{
	struct hold_options how = {
		.nsfd = session_netns(h->session),
		.dry_run = h->options->dry_run,
		.stop = interrupt_count(),
		.check = check,
		.ctx = h,
	};
	struct fact_sink sink = session_sink(h->session);
	struct audit_log *log = NULL;
	struct error error = { 0 };
	int err = 0;

	if (!h->options->dry_run)
		err = audit_log_open(h->options->state_dir, &log, &error);
	*told_only = false;
	if (!err) {
		err = act_hold(h->targets, h->n, &how, log, &sink, &error);
		*told_only = err != 0;
	}
	audit_log_close(log);
	if (err)
		log_error(&error);
	return err && !*told_only ? EXIT_UNKNOWN : 0;
}

void holding_free(struct holding *h)
{
	free(h->plan);
	free(h->targets);
	free(h->bytes);
}

int holding_act(const struct options *options, struct session *session, const struct report *audit,
		struct treatment *treatment)
{
	struct holding h = { .options = options, .session = session };
	struct report *later = NULL;
	bool ask = !options->dry_run && !options->yes, told_only = false;
	int code = holding_plan(&h, audit);

	if (!code && options->dry_run)
		code = output_holds(options, h.plan, h.n);
	else if (!code && ask && allowed(&h))
		code = question(&h);
	if (!code && ask && allowed(&h))
		code = plan_renew(&h, &later);
	if (!code)
		code = holding_targets(&h);
	if (!code && h.n)
		code = holding_send(&h, &told_only);
	treatment->told_only |= told_only;
	holding_free(&h);
	report_free(later);
	return code;
}
