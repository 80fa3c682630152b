/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "mesos/upid.h"

bool store_reserve_(struct store *store, void *items, size_t *cap, size_t n, size_t size)
{
	if (array_reserve(items, cap, n, size) == 0)
		return true;
	store->broken = true;
	return false;
}

const char *store_text(struct store *store, const char *text)
{
	const char *pooled = strpool_text(store->pool, text);

	if (pooled)
		return pooled;
	store->broken = true;
	return "";
}

int64_t store_wall(const struct store *store, int64_t mono)
{
	return mono ? mono + store->session.wall_offset : 0;
}

int64_t store_mono(const struct store *store, int64_t wall)
{
	return wall ? wall - store->session.wall_offset : 0;
}

void store_init(struct store *store)
{
	memset(store, 0, sizeof(*store));
	store->pool = strpool_new();
	store->broken = !store->pool;
}

void store_clear(struct store *store)
{
	struct process *process, *next_process;

	store_clear_sockets(store);
	HASH_ITER(hh, store->processes, process, next_process)
	{
		HASH_DEL(store->processes, process);
		free(process);
	}
	store_clear_runs(store);
	store_clear_run_ends(store);
	free(store->treatments.v);
	free(store->holds.v);
	for (size_t i = 0; i < store->baselines.n; i++)
		free((void *)store->baselines.v[i].tasks);
	free(store->agents.v);
	store_clear_services(store);
	store_clear_next_starts(store);
	store_clear_node(store);
	free(store->damages.v);
	free(store->namespaces.v);
	free(store->hooks.v);
	free(store->unread.v);
	free(store->losses.v);
	free(store->acts.v);
	free(store->early.v);
	free(store->baselines.v);
	strpool_free(store->pool);
	memset(store, 0, sizeof(*store));
}

/* ---- processes ---- */

struct process *store_process_find(const struct store *store, int32_t pid, uint64_t start)
{
	struct process_key key = { .pid = pid, .start = start };
	struct process *process;

	HASH_FIND(hh, store->processes, &key, sizeof(key), process);
	return process;
}

struct process *store_process(struct store *store, int32_t pid, uint64_t start)
{
	struct process *process = store_process_find(store, pid, start);

	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		goto broken;
	process->key = (struct process_key){ .pid = pid, .start = start };
	HASH_ADD(hh, store->processes, key, sizeof(process->key), process);
	if (process->hh.tbl)
		return process;
broken:
	free(process);
	store->broken = true;
	return NULL;
}

bool process_is_alive(const struct process *process)
{
	return process && !process->ended && !process->vanished;
}

static void process_facts(struct store *store, struct process *process,
			  const struct fact_process *from)
{
	struct process_facts *to = &process->facts;
	struct mesos_upid upid;

	*to = (struct process_facts){
		.pid = from->pid,
		.ppid = from->ppid,
		.start = from->start,
		.netns = from->netns,
		.session = from->session,
		.ns_pid = from->ns_pid,
		.pidns = from->pidns,
		.uid = from->uid,
		.directory = store_text(store, from->directory),
		.comm = store_text(store, from->comm),
		.exe = store_text(store, from->exe),
		.slave_pid = store_text(store, from->slave_pid),
		.slave_id = store_text(store, from->slave_id),
		.framework_id = store_text(store, from->framework_id),
		.executor_id = store_text(store, from->executor_id),
		.container_id = store_text(store, from->container_id),
		.domain_socket = store_text(store, from->domain_socket),
		.library = store_text(store, from->library),
		.library_version = store_text(store, from->library_version),
		.version_from = store_text(store, from->version_from),
		.recovery_timeout = from->recovery_timeout,
		.shutdown_grace = from->shutdown_grace,
		.backoff_max = from->backoff_max,
		.in_state = from->in_state,
		.tracer = from->tracer,
		.pidns_init = from->pidns_init,
		.pidns_outer = store_text(store, from->pidns_outer),
		.cgroup = store_text(store, from->cgroup),
		.state = store_text(store, from->state),
		.frozen = from->frozen,
		.library_deleted = from->library_deleted,
		.environ_read = from->environ_read,
		.checkpoint = from->checkpoint,
	};
	process->agent_known = mesos_upid_parse(mesos_span_of(to->slave_pid), &upid) == 0;
	if (process->agent_known)
		process->agent_addr = upid.addr;
}

/* Fields that an overwritten environment lacks. */
static void adopted_facts(struct process *process)
{
	struct process_facts *to = &process->facts;

	if (*to->executor_id) {
		process->adopted = false;
		return;
	}
	to->framework_id = process->adopted_run.framework_id;
	to->executor_id = process->adopted_run.executor_id;
	to->container_id = process->adopted_run.container_id;
	to->slave_id = process->adopted_slave_id;
	to->checkpoint = true; /* only executors with checkpointing are on disk */
}

/* The agent writes it as soon as it has forked. The wall clock may have been set a little since. */
#define REUSED_LATER (2 * 60 * NS_PER_S)

bool store_pid_is_reused(const struct store *store, const struct checkpoint *checkpoint,
			 const struct process *process)
{
	int64_t began = store_wall(store, (int64_t)process->key.start * (NS_PER_S / 100));

	return checkpoint->facts.forked_wall &&
	       began > checkpoint->facts.forked_wall + REUSED_LATER;
}

static bool leads_to(const struct store *store, const struct checkpoint *checkpoint,
		     const struct process *process)
{
	const struct fact_checkpoint *c = &checkpoint->facts;

	if (!c->latest || c->completed || !c->forked_pid)
		return false;
	if (c->forked_pid == process->key.pid)
		return !store_pid_is_reused(store, checkpoint, process);
	return c->forked_pid == process->facts.session;
}

static void adopt(struct store *store, struct process *process)
{
	const struct checkpoint *checkpoint, *next;

	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	{
		if (!leads_to(store, checkpoint, process))
			continue;
		process->adopted = true;
		process->adopted_run = checkpoint->key;
		process->adopted_slave_id = checkpoint->facts.slave_id;
		adopted_facts(process);
		return;
	}
}

void store_adopt(struct store *store)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (process->known && process_is_alive(process) && !*process->facts.executor_id &&
		    !store_is_agent(store, process->key.pid, process->key.start))
			adopt(store, process);
	}
}

static void apply_process(struct store *store, const struct fact *fact)
{
	const struct fact_process *from = &fact->process;
	struct process *process = store_process(store, from->pid, from->start);

	if (!process)
		return;
	process->seen = store->snapshot;
	if (process->ended)
		return; /* a process that has exited has nothing left to read */
	process->vanished = false;
	process->ended_at = 0;
	/* A refused read does not erase what an earlier one gave. */
	if (process->known && from->environ_read == EW_NO && process->facts.environ_read == EW_YES)
		return;
	process->known = true;
	process_facts(store, process, from);
	if (process->adopted)
		adopted_facts(process);
}

/* Executors are the agent's children too, but their signals are their own. */
static bool is_mesos(const struct process *process)
{
	return process->known ? *process->facts.executor_id : process->said_executor_id != NULL;
}

static void apply_exit(struct store *store, const struct fact *fact)
{
	struct process *process = store_process(store, fact->exit.pid, fact->exit.start);
	const struct process *killer;

	if (!process || process->ended)
		return; /* two threads of a process can both be taken for its last */
	process->ended = true;
	process->ended_at = fact->mono;
	process->exit = fact->exit;
	process->exit.comm = store_text(store, fact->exit.comm);
	process->exit.killer_comm = store_text(store, fact->exit.killer_comm);
	killer = store_process_find(store, fact->exit.killer, fact->exit.killer_start);
	process->killed_by_agents =
		fact->exit.killer &&
		(store_is_agent(store, fact->exit.killer, fact->exit.killer_start) ||
		 (killer && killer->agents_child && !is_mesos(killer)));
	store_agent_exited(store, fact);
}

/* The agent's children; some send signals for it (launchers, Mesos ns-killer). */
static void apply_fork(struct store *store, const struct fact *fact)
{
	const struct agent *agent = store_agent(store);
	struct process *process;

	if (!agent || agent->facts.pid != fact->fork.parent)
		return;
	process = store_process(store, fact->fork.pid, fact->fork.start);
	if (process)
		process->agents_child = true;
}

/* ---- domain sockets ---- */

static void apply_unix_link(struct store *store, const struct fact *fact)
{
	const struct fact_unix_link *link = &fact->unix_link;
	struct process *process = store_process_find(store, link->pid, link->start);
	struct unix_links *links = process ? &process->unix_links : NULL;

	if (!links || !link->peer_pid)
		return;
	if (links->seen != store->snapshot || links->agent != link->peer_pid ||
	    links->agent_start != link->peer_start)
		*links = (struct unix_links){ .seen = store->snapshot,
					      .agent = link->peer_pid,
					      .agent_start = link->peer_start };
	links->n++;
}

uint32_t store_unix_links(const struct store *store, const struct process *process)
{
	const struct unix_links *links = &process->unix_links;
	const struct agent *agent = store_agent(store);

	return agent && links->seen >= store->socketed && links->agent == agent->facts.pid &&
			       links->agent_start == agent->facts.start
		       ? links->n
		       : 0;
}

/* ---- the rest ---- */

static struct fact_hook *hook_find(const struct store *store, const char *hook)
{
	for (size_t i = 0; i < store->hooks.n; i++)
		if (strcmp(store->hooks.v[i].hook, hook) == 0)
			return &store->hooks.v[i];
	return NULL;
}

const struct fact_hook *store_hook(const struct store *store, const char *hook)
{
	return hook_find(store, hook);
}

static void apply_hook(struct store *store, const struct fact *fact)
{
	struct fact_hook hook = fact->hook, *old;

	hook.hook = store_text(store, hook.hook);
	hook.program = store_text(store, hook.program);
	hook.reason = store_text(store, hook.reason);
	old = hook_find(store, hook.hook);
	if (old)
		*old = hook;
	else if (store_reserve(store, store->hooks))
		store->hooks.v[store->hooks.n++] = hook;
}

static void apply_unread(struct store *store, const struct fact *fact)
{
	struct fact_unread unread = fact->unread;

	unread.object = store_text(store, unread.object);
	unread.reason = store_text(store, unread.reason);
	for (size_t i = 0; i < store->unread.n; i++)
		if (store->unread.v[i].object == unread.object)
			return;
	if (store_reserve(store, store->unread))
		store->unread.v[store->unread.n++] = unread;
}

static void apply_ct_active(struct store *store, const struct fact *fact)
{
	const struct netns told = { .inode = fact->ct_active.netns,
				    .ct_active = fact->ct_active.in_force,
				    .seen = store->snapshot,
				    .entries = fact->ct_active.entries,
				    .limit = fact->ct_active.limit,
				    .established = fact->ct_active.established };

	for (size_t i = 0; i < store->namespaces.n; i++) {
		if (store->namespaces.v[i].inode == told.inode) {
			store->namespaces.v[i] = told;
			return;
		}
	}
	if (store_reserve(store, store->namespaces))
		store->namespaces.v[store->namespaces.n++] = told;
}

static void treatment_add(struct store *store, const struct fact *fact)
{
	if (store_reserve(store, store->treatments))
		store->treatments.v[store->treatments.n++] =
			(struct treatment){ fact->act.pid, fact->act.start, fact->mono };
}

static void hold_add(struct store *store, const struct fact *fact)
{
	if (store_reserve(store, store->holds))
		store->holds.v[store->holds.n++] =
			(struct treatment){ fact->act.pid, fact->act.start, fact->mono };
}

int64_t store_held_at(const struct store *store, const struct process *process)
{
	int64_t at = 0;

	for (size_t i = 0; i < store->holds.n; i++)
		if (store->holds.v[i].pid == process->key.pid &&
		    store->holds.v[i].start == process->key.start)
			at = store->holds.v[i].at;
	return at >= store->session_began && at > process->history.last_down &&
			       at > process->history.registered
		       ? at
		       : 0;
}

bool store_held_before(const struct store *store, const struct process *process)
{
	for (size_t i = 0; i < store->holds.n; i++)
		if (store->holds.v[i].pid == process->key.pid &&
		    store->holds.v[i].start == process->key.start &&
		    store->holds.v[i].at < store->session_began)
			return true;
	return false;
}

int64_t store_treated_at(const struct store *store, int32_t pid, uint64_t start)
{
	int64_t at = 0;

	for (size_t i = 0; i < store->treatments.n; i++)
		if (store->treatments.v[i].pid == pid && store->treatments.v[i].start == start)
			at = store->treatments.v[i].at;
	return at;
}

/* An act of an earlier session, read from the audit log, is not part of this report. */
static void apply_act(struct store *store, const struct fact *fact)
{
	struct fact_act act = fact->act;

	act.phase = store_text(store, act.phase);
	if (strcmp(act.phase, "result") != 0)
		return;
	act.action = store_text(store, act.action);
	act.framework_id = store_text(store, act.framework_id);
	act.executor_id = store_text(store, act.executor_id);
	act.method = store_text(store, act.method);
	act.result = store_text(store, act.result);
	act.proof = store_text(store, act.proof);
	act.bytes = store_text(store, act.bytes);
	if (strcmp(act.result, "done") == 0 && strcmp(act.action, "shutdown") == 0)
		treatment_add(store, fact);
	if (strcmp(act.result, "held") == 0)
		hold_add(store, fact);
	if (fact->mono < store->session_began)
		return;
	act.reason = store_text(store, act.reason);
	act.reason_id = store_text(store, act.reason_id);
	if (store_reserve(store, store->acts))
		store->acts.v[store->acts.n++] = (struct act){ .facts = act, .at = fact->mono };
}

static void apply_baseline(struct store *store, const struct fact *fact)
{
	struct fact_baseline b = fact->baseline;

	b.framework_id = store_text(store, b.framework_id);
	b.executor_id = store_text(store, b.executor_id);
	b.container_id = store_text(store, b.container_id);
	b.protocol = store_text(store, b.protocol);
	b.verdict = store_text(store, b.verdict);
	b.slave_id = store_text(store, b.slave_id);
	b.tasks = store_texts(store, b.tasks, b.n_tasks, NULL, 0);
	if (store_reserve(store, store->baselines))
		store->baselines.v[store->baselines.n++] = b;
}

static void apply_command(struct store *store, const struct fact *fact)
{
	store->command = fact->command;
	store->command.text = store_text(store, fact->command.text);
	store->command.phase = store_text(store, fact->command.phase);
	if (strcmp(store->command.phase, "ended") == 0)
		store->command_ended = fact->mono;
}

static void apply_session(struct store *store, const struct fact *fact)
{
	store->session = fact->session;
	store->session_began = fact->mono;
	store->ports = (struct agent_ports){ { (uint16_t)fact->session.agent_port } };
	store->session.tool = store_text(store, fact->session.tool);
	store->session.verb = store_text(store, fact->session.verb);
	store->session.host = store_text(store, fact->session.host);
	store->session.boot_id = store_text(store, fact->session.boot_id);
	store->session.kernel = store_text(store, fact->session.kernel);
	store->session.ignored = store_text(store, fact->session.ignored);
	store->session.command = store_text(store, fact->session.command);
}

static void apply_port(struct store *store, const struct fact *fact)
{
	if (fact->port.port <= UINT16_MAX)
		agent_ports_add(&store->ports, (uint16_t)fact->port.port);
}

static void apply_agent_away(struct store *store, const struct fact *fact)
{
	store->gone_by = store_mono(store, fact->agent_away.wall);
}

static void apply_work_dir(struct store *store, const struct fact *fact)
{
	store->work_dir = fact->work_dir;
	store->work_dir.path = store_text(store, fact->work_dir.path);
	store->work_dir.slave_id = store_text(store, fact->work_dir.slave_id);
	store->has_work_dir = true;
	store->work_dir_at = fact->mono;
}

/* ---- scans ---- */

/* Drops unread objects that this scan reads again. */
static void unread_begin(struct store *store, uint32_t scope)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->unread.n; i++) {
		const struct fact_unread *u = &store->unread.v[i];

		if (scope == SCAN_ALL || (u->pid && scope & SCAN_SOCKETS) ||
		    (u->cookie && scope & SCAN_TRACKING))
			continue;
		store->unread.v[kept++] = *u;
	}
	store->unread.n = kept;
}

static void snapshot_begin(struct store *store, const struct fact *fact)
{
	store->snapshot++;
	store->scope = fact->scan.scope;
	store->snapshot_began = fact->mono;
	unread_begin(store, fact->scan.scope);
}

static bool is_in_baseline(const struct store *store, struct process *process)
{
	for (size_t i = 0; !process->in_baseline && i < store->baselines.n; i++)
		process->in_baseline = store->baselines.v[i].pid == process->key.pid &&
				       store->baselines.v[i].start == process->key.start;
	return process->in_baseline;
}

static void process_prune(struct store *store, struct process *process, int64_t mono)
{
	int64_t keep = is_mesos(process) ? STORE_KEEP_ENDED : 0;

	if (process->ended_at >= store->snapshot_began - keep || mono - process->ended_at <= keep ||
	    is_in_baseline(store, process))
		return;
	HASH_DEL(store->processes, process);
	free(process);
}

static void processes_end(struct store *store, int64_t mono)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (!process_is_alive(process)) {
			process_prune(store, process, mono);
		} else if (process->known && process->seen != store->snapshot) {
			process->vanished = true;
			process->ended_at = mono;
		}
	}
}

static void snapshot_end(struct store *store, const struct fact *fact)
{
	uint32_t done = fact->scan.scope;

	store->complete = (store->complete & ~store->scope) | done;
	store->scope = 0;
	if (done & SCAN_SOCKETS) {
		store_end_sockets(store, fact->mono);
		store_end_agents(store, fact->mono);
	}
	if (done & SCAN_SOCKETS)
		store->socketed = store->snapshot;
	if (done & SCAN_TRACKING)
		store->tracked = store->snapshot;
	if (done & SCAN_PROCESSES)
		processes_end(store, fact->mono);
	if (done & SCAN_CHECKPOINTS) {
		store_end_checkpoints(store);
		store->checkpoints_read = store->snapshot_began;
		if (!store->first_checkpoints && store->work_dir.readable == EW_YES)
			store->first_checkpoints = store->snapshot;
		store_adopt(store);
	}
	store_count_named(store);
	if (done & SCAN_PROCESSES)
		registration_early(store);
	if (done & SCAN_SOCKETS)
		store_forget_sockets(store, fact->mono);
}

static void apply_scan(struct store *store, const struct fact *fact)
{
	if (strcmp(fact->scan.phase, "begin") == 0)
		snapshot_begin(store, fact);
	else
		snapshot_end(store, fact);
}

static void apply_now(struct store *store, const struct fact *fact)
{
	store->interrupted |= fact->now.interrupted;
	store->final |= fact->now.final;
	store->incomplete |= fact->now.incomplete;
}

/* Types that are not here do not affect verdicts. */
static void (*const apply[])(struct store *store, const struct fact *fact) = {
	[FACT_SESSION] = apply_session,
	[FACT_HOOK] = apply_hook,
	[FACT_PROCESS] = apply_process,
	[FACT_SOCKET] = store_apply_socket,
	[FACT_HOLDER] = store_apply_holder,
	[FACT_TCP] = store_apply_tcp,
	[FACT_EXIT] = apply_exit,
	[FACT_SIGNAL] = registration_signal,
	[FACT_MESSAGE] = registration_message,
	[FACT_CT_ACTIVE] = apply_ct_active,
	[FACT_CT_ENTRY] = store_apply_entry,
	[FACT_CHECKPOINT] = store_apply_checkpoint,
	[FACT_WORK_DIR] = apply_work_dir,
	[FACT_PORT] = apply_port,
	[FACT_AGENT] = store_apply_agent,
	[FACT_API] = store_apply_api,
	[FACT_API_EXECUTOR] = store_apply_listing,
	[FACT_UNREAD] = apply_unread,
	[FACT_LOST] = store_apply_lost,
	[FACT_ACT] = apply_act,
	[FACT_COMMAND] = apply_command,
	[FACT_SCAN] = apply_scan,
	[FACT_BASELINE] = apply_baseline,
	[FACT_NOW] = apply_now,
	[FACT_FORK] = apply_fork,
	[FACT_TASK] = store_apply_task,
	[FACT_END] = store_apply_end,
	[FACT_FIREWALL] = store_apply_firewall,
	[FACT_SERVICE] = store_apply_service,
	[FACT_FLAG] = store_apply_flag,
	[FACT_NEXT_START] = store_apply_next_start,
	[FACT_AGENT_INFO] = store_apply_agent_info,
	[FACT_DISK] = store_apply_disk,
	[FACT_MASTER] = store_apply_master,
	[FACT_DOCKER] = store_apply_docker,
	[FACT_CONTAINER] = store_apply_container,
	[FACT_HOST] = store_apply_host,
	[FACT_AGENT_LOG] = store_apply_agent_log,
	[FACT_FORESEEN] = store_apply_foreseen,
	[FACT_DAMAGE] = store_apply_damage,
	[FACT_AGENT_AWAY] = apply_agent_away,
	[FACT_UNIX_LINK] = apply_unix_link,
	[FACT_KEEPALIVE] = store_apply_keepalive,
};

void store_apply(struct store *store, const struct fact *fact)
{
	if (store->broken)
		return;
	if (fact->type == FACT_NOW || fact->mono > store->now)
		store->now = fact->mono;
	if ((size_t)fact->type < sizeof(apply) / sizeof(apply[0]) && apply[fact->type])
		apply[fact->type](store, fact);
}
