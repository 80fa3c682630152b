/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about what is on disk: room, the checkpoint tree, replaced libraries. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/finding_table.h"
#include "model/judge/evidence.h"
#include "model/judge/identity.h"
#include "model/model_private.h"

#define MIB (UINT64_C(1) << 20)

/* Below these an agent cannot recover: each executor's registration writes some small files. */
enum { FREE_MIB_MIN = 1, FREE_MIB_LOW = 4, FREE_INODES_LOW = 1000 };

static bool is_low(const struct fact_disk *disk, uint64_t mib, uint64_t inodes)
{
	return disk->read_only == EW_YES || disk->bytes_free / MIB < mib ||
	       (disk->inodes && disk->inodes_free < inodes);
}

/*
 * The agent ends when a checkpoint cannot be written: CHECK_SOME(state::checkpoint(…)) (Mesos
 * slave/slave.cpp, 0.28 to 1.11). A log that cannot be written is only missing.
 */
static void disk_fill(const struct store *store, const struct fact_disk *disk,
		      struct report *report)
{
	bool full = is_low(disk, FREE_MIB_MIN, 1) && strcmp(disk->role, "log") != 0;
	struct arena *arena = report->arena;

	if (!disk->bytes || !is_low(disk, FREE_MIB_LOW, FREE_INODES_LOW))
		return;
	finding_add(store, report, FINDING_DISK_FULL, full ? SEVERITY_CRITICAL : SEVERITY_WARNING,
		    arena_printf(
			    arena,
			    "The file system of the agent's %s directory '%s' has %llu of "
			    "%llu MiB and %llu of %llu inodes free%s.",
			    disk->role, disk->path, (unsigned long long)(disk->bytes_free / MIB),
			    (unsigned long long)(disk->bytes / MIB),
			    (unsigned long long)disk->inodes_free, (unsigned long long)disk->inodes,
			    disk->read_only == EW_YES ? ", and is mounted read-only" : ""),
		    "Make room there before the restart; remove nothing below meta/.");
}

/* ---- the checkpoint tree ---- */

/* Does the next agent read this run, as far as is known? */
static bool is_recovered(const struct store *store, const struct checkpoint *c)
{
	return c->facts.latest && !c->facts.completed &&
	       strcmp(c->facts.slave_id, store->work_dir.slave_id) == 0;
}

/* The user that the agent runs as; false where it is not known. */
static bool agent_user(const struct store *store, uint32_t *uid)
{
	const struct agent *agent = store_agent(store);

	if (!agent || agent->facts.uid_known != EW_YES)
		return false;
	*uid = agent->facts.uid;
	return true;
}

/* Whatever an agent makes in meta/ belongs to the user that it runs as. */
static void owner_fill(const struct store *store, struct report *report)
{
	const struct checkpoint *c, *next, *first = NULL;
	uint32_t uid;
	size_t n = 0;

	if (!agent_user(store, &uid))
		return;
	HASH_ITER(hh, store->checkpoints, c, next)
	{
		if (!is_recovered(store, c) || c->facts.owner_known != EW_YES ||
		    c->facts.uid == uid)
			continue;
		first = first ? first : c;
		n++;
	}
	if (!n)
		return;
	finding_add(store, report, FINDING_CHECKPOINT_OWNER,
		    uid ? SEVERITY_CRITICAL : SEVERITY_WARNING,
		    arena_printf(report->arena,
				 "The agent runs as user %u, and the checkpoints of %zu executors "
				 "belong to others; those of '%s' to user %u.",
				 uid, n, first->key.executor_id, first->facts.uid),
		    arena_printf(report->arena,
				 "Find out who has changed it, then give it back to the agent: "
				 "chown -R %u '%s/meta'.",
				 uid, store->work_dir.path));
}

/* An agent in a container may have a boot id of its own: its runs say so. */
static bool has_own_boot(const struct store *store)
{
	const struct checkpoint *c, *next;

	HASH_ITER(hh, store->checkpoints, c, next)
	{
		if (c->facts.own_boot == EW_YES)
			return true;
	}
	return false;
}

/* Mesos slave/state.cpp, State::recover() and RunState::recover(): rebooted. */
static void other_boot_fill(const struct store *store, struct report *report)
{
	if (store->work_dir.same_boot != EW_NO || !store->checkpoints || has_own_boot(store))
		return;
	finding_add(store, report, FINDING_OTHER_BOOT, SEVERITY_WARNING,
		    arena_printf(report->arena,
				 "The boot id in '%s/meta' is not that of this boot of the host.",
				 store->work_dir.path),
		    "Expected before the first start of the agent after a reboot; else find out "
		    "who has changed meta/boot_id.");
}

static size_t n_running(const struct store *store)
{
	const struct checkpoint *c, *next;
	size_t n = 0;

	HASH_ITER(hh, store->checkpoints, c, next)
	{
		n += c->facts.latest && !c->facts.completed;
	}
	return n;
}

/* Mesos slave/state.cpp, State::recover(): without the link there is no agent to recover. */
static void no_latest_fill(const struct store *store, struct report *report)
{
	size_t n = n_running(store);

	if (store->work_dir.latest != EW_NO || !n)
		return;
	finding_add(store, report, FINDING_NO_LATEST, SEVERITY_CRITICAL,
		    arena_printf(report->arena,
				 "The link '%s/meta/slaves/latest' is missing or leads nowhere, "
				 "and the directories beside it have %zu executors that have not "
				 "ended.",
				 store->work_dir.path, n),
		    store->has_api && *store->api.slave_id && !strchr(store->api.slave_id, '\'')
			    ? arena_printf(report->arena,
					   "Make it lead to the agent id that serves now: ln -sfn "
					   "'%s/meta/slaves/%s' '%s/meta/slaves/latest'",
					   store->work_dir.path, store->api.slave_id,
					   store->work_dir.path)
			    : "Make it lead to the directory of the agent id that the executors "
			      "have in MESOS_SLAVE_ID.");
}

static int by_pid(const void *a, const void *b)
{
	const struct checkpoint *x = *(const struct checkpoint *const *)a;
	const struct checkpoint *y = *(const struct checkpoint *const *)b;
	int order = strcmp(x->key.executor_id, y->key.executor_id);

	if (x->facts.forked_pid != y->facts.forked_pid)
		return x->facts.forked_pid < y->facts.forked_pid ? -1 : 1;
	return order ? order : strcmp(x->key.container_id, y->key.container_id);
}

/* "Detected duplicate pid" (Mesos slave/containerizer/mesos/launcher.cpp and linux_launcher.cpp,
 * recover()). */
static void duplicate_pid_fill(const struct store *store, struct report *report)
{
	const struct checkpoint *c, *next, **runs;
	size_t n = 0;

	runs = arena_array(report->arena, n_running(store) + 1, sizeof(*runs));
	if (!runs)
		return;
	HASH_ITER(hh, store->checkpoints, c, next)
	{
		if (is_recovered(store, c) && c->facts.forked_pid)
			runs[n++] = c;
	}
	qsort(runs, n, sizeof(*runs), by_pid);
	for (size_t i = 1; i < n; i++) {
		if (runs[i]->facts.forked_pid != runs[i - 1]->facts.forked_pid)
			continue;
		finding_add(store, report, FINDING_DUPLICATE_PID, SEVERITY_CRITICAL,
			    arena_printf(report->arena,
					 "The checkpoints of executors '%s' and '%s' name the same "
					 "process %d.",
					 runs[i - 1]->key.executor_id, runs[i]->key.executor_id,
					 runs[i]->facts.forked_pid),
			    "See which of the two still runs; the other's run directory needs "
			    "an empty file executor.sentinel before the restart.");
	}
}

/* ---- libraries ---- */

static void library_fill(const struct executors *view, struct report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_executors; i++)
		n += view->executors[i].process->facts.library_deleted == EW_YES &&
		     identity_of(view->store, &view->executors[i]) == WHOSE_OURS;
	if (n)
		finding_add(view->store, report, FINDING_LIBRARY_REPLACED, SEVERITY_OK,
			    arena_printf(report->arena,
					 "%zu executors have a libmesos mapped that is no longer "
					 "the file of that name.",
					 n),
			    "");
}

void findings_disk_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;

	for (size_t i = 0; i < store->disks.n; i++)
		disk_fill(store, &store->disks.v[i], report);
	if (store->has_work_dir && store->work_dir.readable == EW_YES) {
		owner_fill(store, report);
		other_boot_fill(store, report);
		no_latest_fill(store, report);
		duplicate_pid_fill(store, report);
	}
	library_fill(view, report);
}
