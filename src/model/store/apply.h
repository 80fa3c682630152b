/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One function for each fact that is remembered. Only the table in store.c calls them; each is
 * defined in the file of what it changes.
 */
#ifndef EW_MODEL_STORE_APPLY_H
#define EW_MODEL_STORE_APPLY_H

#include "model/store/state.h"

void store_apply_act(struct store *store, const struct fact *fact);
void store_apply_agent(struct store *store, const struct fact *fact);
void store_apply_agent_away(struct store *store, const struct fact *fact);
void store_apply_agent_info(struct store *store, const struct fact *fact);
void store_apply_agent_log(struct store *store, const struct fact *fact);
void store_apply_api(struct store *store, const struct fact *fact);
void store_apply_audit_log(struct store *store, const struct fact *fact);
void store_apply_baseline(struct store *store, const struct fact *fact);
void store_apply_checkpoint(struct store *store, const struct fact *fact);
void store_apply_command(struct store *store, const struct fact *fact);
void store_apply_container(struct store *store, const struct fact *fact);
void store_apply_ct_active(struct store *store, const struct fact *fact);
void store_apply_damage(struct store *store, const struct fact *fact);
void store_apply_disk(struct store *store, const struct fact *fact);
void store_apply_docker(struct store *store, const struct fact *fact);
void store_apply_end(struct store *store, const struct fact *fact);
void store_apply_entry(struct store *store, const struct fact *fact);
void store_apply_exit(struct store *store, const struct fact *fact);
void store_apply_firewall(struct store *store, const struct fact *fact);
void store_apply_flag(struct store *store, const struct fact *fact);
void store_apply_foreseen(struct store *store, const struct fact *fact);
void store_apply_fork(struct store *store, const struct fact *fact);
void store_apply_holder(struct store *store, const struct fact *fact);
void store_apply_hook(struct store *store, const struct fact *fact);
void store_apply_host(struct store *store, const struct fact *fact);
void store_apply_keepalive(struct store *store, const struct fact *fact);
void store_apply_listener(struct store *store, const struct fact *fact);
void store_apply_listing(struct store *store, const struct fact *fact);
void store_apply_lost(struct store *store, const struct fact *fact);
void store_apply_master(struct store *store, const struct fact *fact);
void store_apply_message(struct store *store, const struct fact *fact);
void store_apply_next_start(struct store *store, const struct fact *fact);
void store_apply_now(struct store *store, const struct fact *fact);
void store_apply_port(struct store *store, const struct fact *fact);
void store_apply_process(struct store *store, const struct fact *fact);
void store_apply_scan(struct store *store, const struct fact *fact);
void store_apply_service(struct store *store, const struct fact *fact);
void store_apply_session(struct store *store, const struct fact *fact);
void store_apply_signal(struct store *store, const struct fact *fact);
void store_apply_socket(struct store *store, const struct fact *fact);
void store_apply_task(struct store *store, const struct fact *fact);
void store_apply_tcp(struct store *store, const struct fact *fact);
void store_apply_unix_link(struct store *store, const struct fact *fact);
void store_apply_unread(struct store *store, const struct fact *fact);
void store_apply_work_dir(struct store *store, const struct fact *fact);

#endif
