/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

bool store_grow_(struct store *store, void **v, size_t *n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 8;
	void *grown;

	if (*n < *room)
		return true;
	grown = reallocarray(*v, more, size);
	if (!grown) {
		store->broken = true;
		return false;
	}
	*v = grown;
	*room = more;
	return true;
}

const char *store_text(struct store *store, const char *text)
{
	const char *pooled = pool_text(store->pool, text);

	if (pooled)
		return pooled;
	store->broken = true;
	return "";
}

/* The list as one pooled allocation each time it changes; unchanged lists are shared. */
static const char *const *texts_keep(struct store *store, const char *const *texts, size_t n,
				     const char *const *old, size_t n_old)
{
	const char **copy;
	bool same = n == n_old;

	for (size_t i = 0; same && i < n; i++)
		same = strcmp(texts[i], old[i]) == 0;
	if (same)
		return old;
	copy = n ? calloc(n, sizeof(*copy)) : NULL;
	store->broken |= n && !copy;
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = store_text(store, texts[i]);
	free((void *)old);
	return copy;
}

void store_init(struct store *store)
{
	memset(store, 0, sizeof(*store));
	store->pool = pool_new();
	store->broken = !store->pool;
}

static void tasks_free(const char *const *tasks)
{
	free((void *)tasks);
}

void store_clear(struct store *store)
{
	struct process *process, *next_process;
	struct checkpoint *checkpoint, *next_checkpoint;
	struct listing *listing, *next_listing;

	store_clear_sockets(store);
	HASH_ITER(hh, store->processes, process, next_process) {
		HASH_DEL(store->processes, process);
		free(process);
	}
	HASH_ITER(hh, store->checkpoints, checkpoint, next_checkpoint) {
		HASH_DEL(store->checkpoints, checkpoint);
		tasks_free(checkpoint->facts.tasks);
		free(checkpoint);
	}
	HASH_ITER(hh, store->listings, listing, next_listing) {
		HASH_DEL(store->listings, listing);
		tasks_free(listing->tasks);
		free(listing);
	}
	for (size_t i = 0; i < store->baselines.n; i++)
		tasks_free(store->baselines.v[i].tasks);
	free(store->agents.v);
	free(store->namespaces.v);
	free(store->slots.v);
	free(store->unread.v);
	free(store->losses.v);
	free(store->acts.v);
	free(store->baselines.v);
	pool_free(store->pool);
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

static void put_process(struct store *store, const struct fact *fact)
{
	const struct fact_process *from = &fact->process;
	struct process *process = store_process(store, from->pid, from->start);
	struct fact_process *to;

	if (!process)
		return;
	process->known = true;
	process->seen = store->survey;
	to = &process->facts;
	*to = *from;
	to->comm = store_text(store, from->comm);
	to->exe = store_text(store, from->exe);
	to->cmdline = store_text(store, from->cmdline);
	to->cgroup = store_text(store, from->cgroup);
	to->slave_pid = store_text(store, from->slave_pid);
	to->slave_id = store_text(store, from->slave_id);
	to->framework_id = store_text(store, from->framework_id);
	to->executor_id = store_text(store, from->executor_id);
	to->directory = store_text(store, from->directory);
	to->container_id = store_text(store, from->container_id);
	to->domain_socket = store_text(store, from->domain_socket);
	to->library = store_text(store, from->library);
	to->library_version = store_text(store, from->library_version);
	to->version_from = store_text(store, from->version_from);
}

static void agent_gone(struct agent *agent, int64_t mono)
{
	if (!agent->gone_at)
		agent->gone_at = mono;
}

static void put_exit(struct store *store, const struct fact *fact)
{
	struct process *process = store_process(store, fact->exit.pid, fact->exit.start);

	if (!process || process->ended)
		return; /* two threads of a process can both see themselves as its last */
	process->ended = true;
	process->ended_at = fact->mono;
	process->exit = fact->exit;
	process->exit.comm = store_text(store, fact->exit.comm);
	process->exit.killer_comm = store_text(store, fact->exit.killer_comm);
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct fact_agent *a = &store->agents.v[i].facts;

		if (a->pid == fact->exit.pid && a->start == fact->exit.start)
			agent_gone(&store->agents.v[i], fact->mono);
	}
}

/* ---- agents ---- */

static struct agent *agent_get(struct store *store, const struct fact_agent *facts)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		struct agent *agent = &store->agents.v[i];

		if (agent->facts.pid == facts->pid && agent->facts.start == facts->start)
			return agent;
	}
	if (!store_grow(store, store->agents))
		return NULL;
	store->agents.v[store->agents.n] = (struct agent){ 0 };
	return &store->agents.v[store->agents.n++];
}

static void put_agent(struct store *store, const struct fact *fact)
{
	struct agent *agent = agent_get(store, &fact->agent);
	bool was_new;

	if (!agent)
		return;
	was_new = agent->facts.pid == 0;
	agent->facts = fact->agent;
	agent->facts.comm = store_text(store, fact->agent.comm);
	agent->facts.exe = store_text(store, fact->agent.exe);
	agent->facts.cgroup = store_text(store, fact->agent.cgroup);
	agent->seen = store->survey;
	if (was_new) {
		agent->appeared = fact->mono;
		store->recovered_at = 0;
	}
	if (fact->agent.gone)
		agent_gone(agent, fact->mono);
}

void store_agent_listens(struct store *store, const struct fact *fact)
{
	const struct fact_tcp *t = &fact->tcp;
	struct fact_agent seen = { .pid = t->pid, .start = t->start, .listen = t->local,
				   .netns = t->netns, .cookie = t->cookie };
	struct fact as_agent = { .type = FACT_AGENT, .mono = fact->mono, .agent = seen };

	if (t->pid)
		put_agent(store, &as_agent);
}

void store_agent_closed(struct store *store, const struct fact *fact)
{
	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].facts.cookie == fact->tcp.cookie)
			agent_gone(&store->agents.v[i], fact->mono);
}

static bool name_is_agent(const struct fact_agent *facts)
{
	const char *name = strrchr(facts->exe, '/');

	name = name ? name + 1 : facts->comm;
	return strstr(name, "mesos-agent") || strstr(name, "mesos-slave") ||
	       strstr(facts->comm, "mesos-agent") || strstr(facts->comm, "mesos-slave");
}

/* By its name if one has it (a process of another namespace may listen on that port too); the newest of those. */
const struct agent *store_agent(const struct store *store)
{
	const struct agent *best = NULL;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (agent->gone_at)
			continue;
		if (!best || name_is_agent(&agent->facts) >= name_is_agent(&best->facts))
			best = agent;
	}
	return best;
}

bool store_is_agent(const struct store *store, int32_t pid, uint64_t start)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct fact_agent *a = &store->agents.v[i].facts;

		if (a->pid == pid && (a->start == start || !start))
			return true;
	}
	return false;
}

/* ---- checkpoints and listings ---- */

static struct run_key run_key(struct store *store, const char *fid, const char *eid, const char *cid)
{
	struct run_key key;

	memset(&key, 0, sizeof(key));
	key.framework_id = store_text(store, fid);
	key.executor_id = store_text(store, eid);
	key.container_id = store_text(store, cid);
	return key;
}

static void put_checkpoint(struct store *store, const struct fact *fact)
{
	const struct fact_checkpoint *from = &fact->checkpoint;
	struct run_key key = run_key(store, from->framework_id, from->executor_id, from->container_id);
	const char *const *tasks;
	struct checkpoint *checkpoint;

	HASH_FIND(hh, store->checkpoints, &key, sizeof(key), checkpoint);
	if (!checkpoint) {
		checkpoint = calloc(1, sizeof(*checkpoint));
		if (!checkpoint) {
			store->broken = true;
			return;
		}
		checkpoint->key = key;
		HASH_ADD(hh, store->checkpoints, key, sizeof(key), checkpoint);
	}
	tasks = texts_keep(store, from->tasks, from->n_tasks, checkpoint->facts.tasks,
			   checkpoint->facts.n_tasks);
	checkpoint->facts = *from;
	checkpoint->facts.slave_id = store_text(store, from->slave_id);
	checkpoint->facts.framework_id = key.framework_id;
	checkpoint->facts.executor_id = key.executor_id;
	checkpoint->facts.container_id = key.container_id;
	checkpoint->facts.upid = store_text(store, from->upid);
	checkpoint->facts.tasks = tasks;
	checkpoint->facts.n_tasks = tasks ? from->n_tasks : 0;
	checkpoint->seen = store->survey;
}

struct checkpoint *store_checkpoint_find(const struct store *store, const struct fact_process *p)
{
	struct run_key key;
	struct checkpoint *checkpoint;

	memset(&key, 0, sizeof(key));
	key.framework_id = p->framework_id;
	key.executor_id = p->executor_id;
	key.container_id = p->container_id;
	HASH_FIND(hh, store->checkpoints, &key, sizeof(key), checkpoint);
	return checkpoint;
}

static void put_listing(struct store *store, const struct fact *fact)
{
	const struct fact_api_executor *from = &fact->api_executor;
	struct run_key key = run_key(store, from->framework_id, from->executor_id, from->container_id);
	struct listing *listing;

	HASH_FIND(hh, store->listings, &key, sizeof(key), listing);
	if (!listing) {
		listing = calloc(1, sizeof(*listing));
		if (!listing) {
			store->broken = true;
			return;
		}
		listing->key = key;
		HASH_ADD(hh, store->listings, key, sizeof(key), listing);
	}
	listing->tasks = texts_keep(store, from->tasks, from->n_tasks, listing->tasks, listing->n_tasks);
	listing->n_tasks = listing->tasks ? from->n_tasks : 0;
	listing->round = from->round;
	listing->completed = from->completed;
}

static void put_api(struct store *store, const struct fact *fact)
{
	const struct fact_api *from = &fact->api;
	bool answered = !*(from->problem ? from->problem : "") && from->http_status == 200;

	store->api = *from;
	store->api.url = store_text(store, from->url);
	store->api.problem = store_text(store, from->problem);
	store->api.slave_id = store_text(store, from->slave_id);
	store->api.version = store_text(store, from->version);
	store->api.work_dir = store_text(store, from->work_dir);
	store->has_api = true;
	store->api_at = fact->mono;
	if (!answered || from->recovering)
		return;
	store->listed_round = from->round;
	store->listed_at = fact->mono;
	if (!store->recovered_at)
		store->recovered_at = fact->mono;
}

/* ---- the rest ---- */

static void put_slot(struct store *store, const struct fact *fact)
{
	struct fact_slot slot = fact->slot;

	slot.slot = store_text(store, slot.slot);
	slot.program = store_text(store, slot.program);
	slot.reason = store_text(store, slot.reason);
	for (size_t i = 0; i < store->slots.n; i++) {
		if (store->slots.v[i].slot == slot.slot) {
			store->slots.v[i] = slot;
			return;
		}
	}
	if (store_grow(store, store->slots))
		store->slots.v[store->slots.n++] = slot;
}

static void put_unread(struct store *store, const struct fact *fact)
{
	struct fact_unread unread = fact->unread;

	unread.object = store_text(store, unread.object);
	unread.reason = store_text(store, unread.reason);
	for (size_t i = 0; i < store->unread.n; i++)
		if (store->unread.v[i].object == unread.object)
			return;
	if (store_grow(store, store->unread))
		store->unread.v[store->unread.n++] = unread;
}

static void put_lost(struct store *store, const struct fact *fact)
{
	struct fact_lost lost = fact->lost;

	lost.cause = store_text(store, lost.cause);
	for (size_t i = 0; i < store->losses.n; i++) {
		if (store->losses.v[i].cause == lost.cause) {
			store->losses.v[i] = lost;
			return;
		}
	}
	if (store_grow(store, store->losses))
		store->losses.v[store->losses.n++] = lost;
}

static void put_tracking(struct store *store, const struct fact *fact)
{
	for (size_t i = 0; i < store->namespaces.n; i++) {
		if (store->namespaces.v[i].inode == fact->tracking.netns) {
			store->namespaces.v[i].tracking = fact->tracking.in_force;
			return;
		}
	}
	if (store_grow(store, store->namespaces))
		store->namespaces.v[store->namespaces.n++] = (struct netns){
			.inode = fact->tracking.netns, .tracking = fact->tracking.in_force };
}

static void put_act(struct store *store, const struct fact *fact)
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
	act.reason = store_text(store, act.reason);
	if (store_grow(store, store->acts))
		store->acts.v[store->acts.n++] = (struct act){ .facts = act, .at = fact->mono };
}

static void put_baseline(struct store *store, const struct fact *fact)
{
	struct fact_baseline b = fact->baseline;

	b.framework_id = store_text(store, b.framework_id);
	b.executor_id = store_text(store, b.executor_id);
	b.container_id = store_text(store, b.container_id);
	b.protocol = store_text(store, b.protocol);
	b.verdict = store_text(store, b.verdict);
	b.tasks = texts_keep(store, b.tasks, b.n_tasks, NULL, 0);
	if (store_grow(store, store->baselines))
		store->baselines.v[store->baselines.n++] = b;
}

static void put_command(struct store *store, const struct fact *fact)
{
	store->command = fact->command;
	store->command.text = store_text(store, fact->command.text);
	store->command.phase = store_text(store, fact->command.phase);
	if (strcmp(store->command.phase, "ended") == 0)
		store->command_ended = fact->mono;
}

static void put_window(struct store *store, const struct fact *fact)
{
	store->window = fact->window;
	store->window.tool = store_text(store, fact->window.tool);
	store->window.verb = store_text(store, fact->window.verb);
	store->window.host = store_text(store, fact->window.host);
	store->window.boot_id = store_text(store, fact->window.boot_id);
	store->window.kernel = store_text(store, fact->window.kernel);
}

static void put_work_dir(struct store *store, const struct fact *fact)
{
	store->work_dir = fact->work_dir;
	store->work_dir.path = store_text(store, fact->work_dir.path);
	store->work_dir.slave_id = store_text(store, fact->work_dir.slave_id);
	store->has_work_dir = true;
}

/* ---- surveys ---- */

static void survey_begin(struct store *store, const struct fact *fact)
{
	store->survey++;
	store->scope = fact->survey.scope;
	store->survey_began = fact->mono;
	if (fact->survey.scope == SURVEY_ALL)
		store->unread.n = 0;
}

static void processes_end(struct store *store, int64_t mono)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next) {
		if (!process->known || process->seen == store->survey || process->ended || process->vanished)
			continue;
		process->vanished = true;
		process->ended_at = mono;
	}
}

static void agents_end(struct store *store, int64_t mono)
{
	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].seen != store->survey)
			agent_gone(&store->agents.v[i], mono);
}

static void checkpoints_end(struct store *store)
{
	struct checkpoint *checkpoint, *next;

	HASH_ITER(hh, store->checkpoints, checkpoint, next) {
		if (checkpoint->seen == store->survey)
			continue;
		HASH_DEL(store->checkpoints, checkpoint);
		tasks_free(checkpoint->facts.tasks);
		free(checkpoint);
	}
}

static void survey_end(struct store *store, const struct fact *fact)
{
	uint32_t done = fact->survey.scope;

	store->complete = (store->complete & ~store->scope) | done;
	store->scope = 0;
	if (done & SURVEY_SOCKETS) {
		store_end_sockets(store, fact->mono);
		agents_end(store, fact->mono);
	}
	if (done & SURVEY_PROCESSES)
		processes_end(store, fact->mono);
	if (done & SURVEY_CHECKPOINTS)
		checkpoints_end(store);
}

void store_put(struct store *store, const struct fact *fact)
{
	if (store->broken)
		return;
	if (fact->type == FACT_NOW || fact->mono > store->now)
		store->now = fact->mono;
	switch (fact->type) {
	case FACT_WINDOW:
		put_window(store, fact);
		break;
	case FACT_SLOT:
		put_slot(store, fact);
		break;
	case FACT_PROCESS:
		put_process(store, fact);
		break;
	case FACT_SOCKET:
		store_put_socket(store, fact);
		break;
	case FACT_HOLDER:
		store_put_holder(store, fact);
		break;
	case FACT_TCP:
		store_put_tcp(store, fact);
		break;
	case FACT_EXIT:
		put_exit(store, fact);
		break;
	case FACT_SIGNAL:
		history_signal(store, fact);
		break;
	case FACT_MESSAGE:
		history_message(store, fact);
		break;
	case FACT_TRACKING:
		put_tracking(store, fact);
		break;
	case FACT_ENTRY:
		store_put_entry(store, fact);
		break;
	case FACT_CHECKPOINT:
		put_checkpoint(store, fact);
		break;
	case FACT_WORK_DIR:
		put_work_dir(store, fact);
		break;
	case FACT_AGENT:
		put_agent(store, fact);
		break;
	case FACT_API:
		put_api(store, fact);
		break;
	case FACT_API_EXECUTOR:
		put_listing(store, fact);
		break;
	case FACT_UNREAD:
		put_unread(store, fact);
		break;
	case FACT_LOST:
		put_lost(store, fact);
		break;
	case FACT_ACT:
		put_act(store, fact);
		break;
	case FACT_COMMAND:
		put_command(store, fact);
		break;
	case FACT_BASELINE:
		put_baseline(store, fact);
		break;
	case FACT_SURVEY:
		(strcmp(fact->survey.phase, "begin") == 0 ? survey_begin : survey_end)(store, fact);
		break;
	case FACT_NOW:
		store->interrupted |= fact->now.interrupted;
		store->final |= fact->now.final;
		break;
	case FACT_EXEC:
	case FACT_FORK:
		break; /* shown by watch; nothing is judged by them */
	}
}
