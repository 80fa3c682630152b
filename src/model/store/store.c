/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "model/store/apply.h"
#include "model/store/connections.h"
#include "model/store/session.h"

void store_init(struct store *store)
{
	memset(store, 0, sizeof(*store));
	store->pool = strpool_new();
	store->broken = !store->pool;
}

void store_clear(struct store *store)
{
	store_clear_sockets(store);
	store_clear_processes(store);
	store_clear_checkpoints(store);
	store_clear_listings(store);
	store_clear_run_ends(store);
	store_clear_services(store);
	store_clear_next_starts(store);
	store_clear_node(store);
	store_clear_session(store);
	free(store->agents.v);
	free(store->listeners.v);
	free(store->damages.v);
	free(store->namespaces.v);
	free(store->hooks.v);
	free(store->unread.v);
	free(store->losses.v);
	free(store->treatments.v);
	free(store->holds.v);
	free(store->audit_logs.v);
	free(store->acts.v);
	free(store->early.v);
	strpool_free(store->pool);
	memset(store, 0, sizeof(*store));
}

/* Types that are not here do not affect verdicts. */
static void (*const apply[])(struct store *store, const struct fact *fact) = {
	[FACT_SESSION] = store_apply_session,
	[FACT_HOOK] = store_apply_hook,
	[FACT_PROCESS] = store_apply_process,
	[FACT_SOCKET] = store_apply_socket,
	[FACT_HOLDER] = store_apply_holder,
	[FACT_TCP] = store_apply_tcp,
	[FACT_EXIT] = store_apply_exit,
	[FACT_SIGNAL] = store_apply_signal,
	[FACT_MESSAGE] = store_apply_message,
	[FACT_CT_ACTIVE] = store_apply_ct_active,
	[FACT_CT_ENTRY] = store_apply_entry,
	[FACT_CHECKPOINT] = store_apply_checkpoint,
	[FACT_WORK_DIR] = store_apply_work_dir,
	[FACT_PORT] = store_apply_port,
	[FACT_AGENT] = store_apply_agent,
	[FACT_API] = store_apply_api,
	[FACT_API_EXECUTOR] = store_apply_listing,
	[FACT_UNREAD] = store_apply_unread,
	[FACT_LOST] = store_apply_lost,
	[FACT_ACT] = store_apply_act,
	[FACT_COMMAND] = store_apply_command,
	[FACT_SCAN] = store_apply_scan,
	[FACT_BASELINE] = store_apply_baseline,
	[FACT_NOW] = store_apply_now,
	[FACT_FORK] = store_apply_fork,
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
	[FACT_AGENT_AWAY] = store_apply_agent_away,
	[FACT_LISTENER] = store_apply_listener,
	[FACT_AUDIT_LOG] = store_apply_audit_log,
	[FACT_UNIX_LINK] = store_apply_unix_link,
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
