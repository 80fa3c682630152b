/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/protecting.h"

#include <stdlib.h>

#include "act/audit_log.h"
#include "act/protect.h"
#include "act/protected.h"
#include "base/error.h"
#include "base/now.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "observe/link_entries.h"

#define QUESTION      "Set keepalive on these links now? No executor is disconnected."
#define QUESTION_UNDO "Give these links the keepalive of before now?"

/* A plan, and what carrying it out needs. */
struct protecting {
	const struct options *options;
	struct session *session;
	struct protected *links; /* protected so far */
	struct model_protection *plan;
	size_t n;
	struct link_entries *entries;	/* of each */
	struct protect_target *targets; /* of each */
};

/* ---- the plan ---- */

static uint32_t idle_of(const struct options *options)
{
	return (uint32_t)(options->keepidle / NS_PER_S);
}

/* Only what was protected is undone, whatever its verdict is now: it ends probes, and no link. */
static void undo_keep(struct protecting *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct model_protection *link = &p->plan[i];

		if (!link->target.cookie || !protected_find(p->links, link->target.cookie))
			continue;
		link->needless = NULL;
		link->reason_id = NULL;
		link->target.forbidden = NULL;
		if (link->target.fd < 0) {
			link->reason_id = "no-fd";
			link->target.forbidden = "its descriptor is not known";
		}
		p->plan[kept++] = *link;
	}
	p->n = kept;
}

static int plan_make(struct protecting *p, const struct report *audit)
{
	if (model_protections(audit, &p->options->choice, idle_of(p->options), &p->plan, &p->n) <
	    0) {
		p->plan = NULL;
		log_message("choose what to protect: out of memory");
		return EXIT_UNKNOWN;
	}
	if (p->options->undo)
		undo_keep(p);
	return 0;
}

static size_t allowed(const struct protecting *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += !p->plan[i].reason_id && !p->plan[i].target.changed;
	return n;
}

static int question(const struct protecting *p)
{
	int code = output_protections(p->options, p->plan, p->n);

	return code ? code : treat_ask(p->options->undo ? QUESTION_UNDO : QUESTION);
}

static void changes_tell(const struct protecting *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->plan[i].target.changed)
			log_message("%s is left alone: %s", p->plan[i].target.executor_id,
				    p->plan[i].target.changed);
}

/* The node may have changed while the question stood. *ret, to be freed, has the texts. */
static int plan_renew(struct protecting *p, const struct report *audit, struct report **ret)
{
	struct protecting later = { .options = p->options, .links = p->links };
	int code;

	*ret = session_audit(p->session);
	code = *ret ? plan_make(&later, *ret) : EXIT_UNKNOWN;
	if (code)
		return code;
	model_protections_check(audit, *ret, p->plan, p->n, later.plan, later.n);
	free(later.plan);
	changes_tell(p);
	if (allowed(p))
		return 0;
	log_message("nothing was done: nothing is as it was planned; 'execwatch audit' shows the "
		    "node as it is now");
	return EXIT_ATTENTION;
}

/* ---- the act ---- */

static int look(void *ctx, const bool *wanted, struct protect_entry *entries, struct error *error)
{
	struct protecting *p = ctx;
	int err;

	for (size_t i = 0; i < p->n; i++)
		p->entries[i].wanted = wanted[i];
	err = session_entries(p->session, p->entries, p->n, error);
	for (size_t i = 0; i < p->n; i++) {
		const struct link_entries *found = &p->entries[i];

		if (!wanted[i])
			continue;
		entries[i] = (struct protect_entry){
			.state = found->present == EW_YES  ? ENTRY_THERE
				 : found->present == EW_NO ? ENTRY_GONE
							   : ENTRY_UNKNOWN,
			.earliest = found->earliest,
			.latest = found->latest,
		};
	}
	return err;
}

static void idle(void *ctx)
{
	struct protecting *p = ctx;

	session_poll_throttled(p->session);
}

static int targets_make(struct protecting *p)
{
	p->targets = calloc(p->n + 1, sizeof(*p->targets));
	p->entries = calloc(p->n + 1, sizeof(*p->entries));
	if (!p->targets || !p->entries) {
		log_message("protect %zu links: out of memory", p->n);
		return EXIT_UNKNOWN;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct model_protection *link = &p->plan[i];
		const struct model_target *t = &link->target;

		p->entries[i] = (struct link_entries){ .pid = t->pid,
						       .netns = link->netns,
						       .local = link->local,
						       .remote = link->remote };
		p->targets[i] = (struct protect_target){
			.executor_id = t->executor_id,
			.framework_id = t->framework_id,
			.refused = t->forbidden,
			.skipped = t->changed ? t->changed : link->needless,
			.reason_id = t->changed ? "changed" : link->reason_id,
			.request = { .pid = t->pid,
				     .start = t->start,
				     .fd = t->fd,
				     .inode = t->inode,
				     .cookie = t->cookie },
			.idle = idle_of(p->options),
			.lifetime = link->lifetime,
			.renewed = link->renewed,
		};
	}
	return 0;
}

/*
 * Returns 0, or the exit code to end with. *told_only: the audit log or the file of links could not
 * be written; what was done is in the facts.
 */
static int act(struct protecting *p, bool *told_only)
{
	struct protect_options how = {
		.undo = p->options->undo,
		.dry_run = p->options->dry_run,
		.stop = interrupt_count(),
		.look = look,
		.idle = idle,
		.ctx = p,
	};
	struct fact_sink sink = session_sink(p->session);
	struct audit_log *log = NULL;
	struct error error = { 0 };
	int err = 0;

	if (!p->options->dry_run)
		err = audit_log_open(p->options->state_dir, &log, &error);
	*told_only = false;
	if (!err) {
		err = act_protect(p->targets, p->n, &how, log, p->links, &sink, &error);
		*told_only = err != 0;
	}
	audit_log_close(log);
	if (err)
		log_error(&error);
	return err && !*told_only ? EXIT_UNKNOWN : 0;
}

static void clear(struct protecting *p)
{
	protected_free(p->links);
	free(p->plan);
	free(p->entries);
	free(p->targets);
}

static int links_load(struct protecting *p)
{
	struct error error = { 0 };

	if (protected_load(p->options->state_dir, session_boot_id(p->session), &p->links, &error) ==
	    0)
		return 0;
	log_error(&error);
	return EXIT_UNKNOWN;
}

int protecting_act(const struct options *options, struct session *session,
		   const struct report *audit, struct treatment *treatment)
{
	struct protecting p = { .options = options, .session = session };
	struct report *later = NULL;
	bool ask = treatment && !options->dry_run && !options->yes, told_only = false;
	int code = links_load(&p);

	if (!code)
		code = plan_make(&p, audit);
	if (!code && options->dry_run)
		code = output_protections(options, p.plan, p.n);
	else if (!code && ask && allowed(&p))
		code = question(&p);
	if (!code && ask && allowed(&p))
		code = plan_renew(&p, audit, &later);
	if (!code)
		code = targets_make(&p);
	if (!code && p.n)
		code = act(&p, &told_only);
	if (told_only && treatment)
		treatment->told_only = true;
	clear(&p);
	report_free(later);
	return code;
}

size_t protecting_needed(const struct options *options, const struct report *audit)
{
	struct protecting p = { .options = options };
	size_t n = plan_make(&p, audit) == 0 ? allowed(&p) : 0;

	free(p.plan);
	return n;
}
