/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Notes at the end of a report: unread objects, lost events, oddities. Whole sentences. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "model/judge/identity.h"
#include "model/model_private.h"

struct notes {
	const char **v;
	size_t n;
};

static void note(struct notes *notes, const char *sentence)
{
	notes->v[notes->n++] = sentence;
}

/* The checkpoints belong to a container with its own boot id, and its runs to this boot. */
static bool has_own_boot(const struct store *store)
{
	const struct checkpoint *checkpoint, *next;

	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	{
		if (checkpoint->facts.own_boot == EW_YES)
			return true;
	}
	return false;
}

static void notes_agents(const struct store *store, struct notes *notes, struct arena *arena)
{
	const char *contradiction = identity_contradiction(store, arena);

	if (contradiction)
		note(notes, contradiction);
	if (store->has_work_dir && store->work_dir.same_boot == EW_NO && !has_own_boot(store))
		note(notes, arena_printf(arena,
					 "The checkpoints under %s are of another boot: the agent "
					 "will not recover these executors.",
					 store->work_dir.path));
}

static const char *unread_text(const struct fact_unread *unread, struct arena *arena)
{
	bool whether = strncmp(unread->object, "whether ", 8) == 0;

	return arena_printf(arena, "Could not %s %s: %s.", whether ? "tell" : "read",
			    unread->object, unread->reason);
}

static const char *events_of(const char *hook, struct arena *arena)
{
	if (strcmp(hook, "messages") == 0)
		return "Protocol messages";
	return arena_printf(arena, "Events of '%s'", hook);
}

static const char *audit_log_text(const struct fact_audit_log *log, struct arena *arena)
{
	return arena_printf(arena,
			    "The results of %llu act%s are not in the audit log (%s). This report "
			    "has them.",
			    (unsigned long long)log->unwritten, log->unwritten == 1 ? "" : "s",
			    log->problem);
}

/* Names what no hook observes; absence of such events is no evidence. */
static void notes_hooks(const struct store *store, struct notes *notes, struct arena *arena)
{
	for (size_t i = 0; i < store->hooks.n; i++) {
		const struct fact_hook *hook = &store->hooks.v[i];

		if (!*hook->program)
			note(notes, arena_printf(arena, "%s are not observed (%s).",
						 events_of(hook->hook, arena), hook->reason));
	}
}

static void notes_claims(const struct executors *view, struct notes *notes, struct arena *arena)
{
	size_t shown = sizeof(view->claims) / sizeof(view->claims[0]);
	char pids[64] = "";

	if (!view->n_claims)
		return;
	for (size_t i = 0; i < shown && i < view->n_claims; i++)
		snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%s%d", i ? ", " : "",
			 view->claims[i]);
	note(notes,
	     arena_printf(arena,
			  "%zu process%s in %s environment the ids of an executor that is another "
			  "process or not known to the agent (pid %s%s); %s left out.",
			  view->n_claims, view->n_claims == 1 ? " has" : "es have",
			  view->n_claims == 1 ? "its" : "their", pids,
			  view->n_claims > shown ? ", ..." : "",
			  view->n_claims == 1 ? "it is" : "they are"));
}

/* Of a unit that could not be read no finding can be given. */
static void notes_service(const struct store *store, struct notes *notes, struct arena *arena)
{
	const struct agent *agent = store_agent(store);
	const struct fact_service *service = agent ? store_service(store, agent) : NULL;

	if (!service || !*service->unit || (*service->from && !*service->problem))
		return;
	note(notes, arena_printf(arena,
				 "The files of the agent's unit %s could not be read (%s): what it "
				 "runs when it starts and stops is not known.",
				 service->unit,
				 *service->problem ? service->problem : "it took too long"));
}

/* Where nothing was named this is a note, else a finding. */
static void notes_next(const struct store *store, struct notes *notes, struct arena *arena)
{
	const struct agent *agent = store_agent(store);
	const struct fact_next_start *next = agent ? store_next_start(store, agent) : NULL;

	if (next && !next->named && next->known != EW_YES)
		note(notes, arena_printf(arena,
					 "Not all flags of the agent's next start are known (%s): "
					 "only those that are were compared.",
					 next->problem));
}

void report_notes_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	struct arena *arena = report->arena;
	struct notes notes = {
		arena_array(arena, store->unread.n + store->hooks.n + report->n_findings + 8,
			    sizeof(*notes.v)),
		0
	};

	if (!notes.v)
		return;
	notes_agents(store, &notes, arena);
	notes_claims(view, &notes, arena);
	notes_service(store, &notes, arena);
	notes_next(store, &notes, arena);
	for (size_t i = 0; i < report->n_findings; i++)
		if (report->findings[i].severity != SEVERITY_OK)
			note(&notes, report->findings[i].evidence);
	if (store->has_master && strncmp(store->master.url, "zk://", 5) == 0)
		note(&notes,
		     arena_printf(arena, "The master was not asked: %s.", store->master.problem));
	for (size_t i = 0; i < store->unread.n; i++)
		note(&notes, unread_text(&store->unread.v[i], arena));
	for (size_t i = 0; i < store->audit_logs.n; i++)
		if (store->audit_logs.v[i].unwritten)
			note(&notes, audit_log_text(&store->audit_logs.v[i], arena));
	if (store->incomplete)
		note(&notes, "The recording is not complete: what its missing facts would have "
			     "shown is not known.");
	if (report->events_lost)
		note(&notes, arena_printf(arena,
					  "%llu events were lost in the kernel: what they would "
					  "have shown is not known.",
					  (unsigned long long)report->events_lost));
	notes_hooks(store, &notes, arena);
	report->notes = notes.v;
	report->n_notes = notes.n;
}
