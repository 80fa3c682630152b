/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/session.h"

#include <string.h>
#include <stdlib.h>

#include "model/store/apply.h"
#include "model/store/memory.h"

void store_apply_session(struct store *store, const struct fact *fact)
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
	store->session.script = store_text(store, fact->session.script);
}

void store_apply_now(struct store *store, const struct fact *fact)
{
	store->interrupted |= fact->now.interrupted;
	store->final |= fact->now.final;
	store->incomplete |= fact->now.incomplete;
}

void store_apply_port(struct store *store, const struct fact *fact)
{
	if (fact->port.port <= UINT16_MAX)
		agent_ports_add(&store->ports, (uint16_t)fact->port.port);
}

void store_apply_audit_log(struct store *store, const struct fact *fact)
{
	struct fact_audit_log log = fact->audit_log;
	size_t i = 0;

	log.problem = store_text(store, fact->audit_log.problem);
	while (i < store->audit_logs.n && store->audit_logs.v[i].opened != log.opened)
		i++;
	if (i == store->audit_logs.n && !store_reserve(store, store->audit_logs))
		return;
	store->audit_logs.v[i] = log;
	if (i == store->audit_logs.n)
		store->audit_logs.n++;
}

uint64_t store_acts_unwritten(const struct store *store)
{
	uint64_t n = 0;

	for (size_t i = 0; i < store->audit_logs.n; i++)
		n += store->audit_logs.v[i].unwritten;
	return n;
}

void store_apply_agent_away(struct store *store, const struct fact *fact)
{
	store->gone_by = store_mono(store, fact->agent_away.wall);
}

void store_apply_work_dir(struct store *store, const struct fact *fact)
{
	store->work_dir = fact->work_dir;
	store->work_dir.path = store_text(store, fact->work_dir.path);
	store->work_dir.slave_id = store_text(store, fact->work_dir.slave_id);
	store->has_work_dir = true;
	store->work_dir_at = fact->mono;
}

void store_apply_command(struct store *store, const struct fact *fact)
{
	store->command = fact->command;
	store->command.text = store_text(store, fact->command.text);
	store->command.phase = store_text(store, fact->command.phase);
	if (strcmp(store->command.phase, "ended") == 0)
		store->command_ended = fact->mono;
}

void store_apply_baseline(struct store *store, const struct fact *fact)
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

void store_clear_session(struct store *store)
{
	for (size_t i = 0; i < store->baselines.n; i++)
		free((void *)store->baselines.v[i].tasks);
	free(store->baselines.v);
}
