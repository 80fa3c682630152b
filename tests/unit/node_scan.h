/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Part of node.h: what passes show of a node, and what the model says of it. */
#ifndef EW_TEST_NODE_SCAN_H
#define EW_TEST_NODE_SCAN_H

/* ---- snapshots ---- */

static inline void node_emit_process(struct node *n, const struct node_proc *p)
{
	const struct node_spec *s = &p->spec;
	struct fact fact = { .type = FACT_PROCESS,
			     .process = { .pid = p->pid,
					  .start = p->start,
					  .ppid = p->ppid,
					  .comm = s->comm,
					  .netns = s->netns,
					  .state = s->state,
					  .in_state = s->in_state,
					  .tracer = s->tracer,
					  .frozen = s->frozen,
					  .cgroup = s->cgroup,
					  .pidns = s->pidns,
					  .pidns_init = s->pidns_init,
					  .environ_read = s->dark ? EW_NO : EW_YES } };

	if (s->overwritten)
		fact.process.library = "/usr/lib/libmesos.so";
	if (!s->dark && !s->overwritten) {
		fact.process.slave_pid = s->slave_pid;
		fact.process.slave_id = s->slave_id;
		fact.process.framework_id = s->framework;
		fact.process.executor_id = p->id;
		fact.process.container_id = s->container;
		fact.process.checkpoint = !s->no_checkpoint;
		fact.process.recovery_timeout = s->timeout * NODE_SECOND;
		fact.process.shutdown_grace = s->grace * NODE_SECOND;
		fact.process.domain_socket = s->domain_socket;
		fact.process.backoff_max = s->backoff * NODE_SECOND;
		fact.process.library = s->no_library ? "" : "/usr/lib/libmesos.so";
		fact.process.library_version = s->no_library ? "" : s->version;
		fact.process.version_from = "library";
	}
	node_emit(n, fact);
}

static inline int64_t node_forked_wall(const struct node_proc *p)
{
	int64_t began = NODE_WALL + (int64_t)p->start * (NODE_SECOND / 100);

	return p->spec.forked_late ? began - p->spec.forked_late * NODE_SECOND : 0;
}

static inline bool node_sock_shown(const struct node_sock *s)
{
	return s->state != TCP_CLOSE && !s->unseen;
}

static inline void node_emit_sock(struct node *n, const struct node_sock *s, int64_t mono)
{
	node_emit(n, (struct fact){ .type = FACT_SOCKET,
				    .mono = mono,
				    .socket = { .cookie = s->cookie,
						.inode = s->inode,
						.netns = s->netns,
						.local = s->local,
						.remote = s->remote,
						.state = s->state,
						.idle = s->idle } });
	for (size_t i = 0; i < s->n_holds; i++)
		node_emit(n, (struct fact){ .type = FACT_HOLDER,
					    .mono = mono,
					    .holder = { .cookie = s->cookie,
							.pid = s->holds[i].pid,
							.start = node_start_of(n, s->holds[i].pid),
							.fd = s->holds[i].fd } });
}

/* The unit that runs the agent, whose cgroup is named after it. */
static inline void node_emit_service(struct node *n)
{
	char cgroup[128];

	snprintf(cgroup, sizeof(cgroup), "/system.slice/%s", n->unit);
	node_emit(n, (struct fact){ .type = FACT_PROCESS,
				    .process = { .pid = n->agent,
						 .start = node_start_of(n, n->agent),
						 .ppid = n->agent_ppid,
						 .comm = n->agent_comm,
						 .environ_read = EW_YES } });
	node_emit(n, (struct fact){ .type = FACT_SERVICE,
				    .service = { .pid = n->agent,
						 .start = node_start_of(n, n->agent),
						 .unit = n->unit,
						 .cgroup = *n->unit ? cgroup : "",
						 .kill_mode = n->kill_mode } });
}

static inline void node_emit_agent(struct node *n)
{
	if (n->agent)
		node_emit(n, (struct fact){ .type = FACT_AGENT,
					    .agent = { .pid = n->agent,
						       .start = node_start_of(n, n->agent),
						       .comm = n->agent_comm,
						       .listen = n->agent_addr,
						       .netns = n->agent_ns,
						       .pidns = n->agent_pidns,
						       .pidns_init = n->agent_pidns_init,
						       .cookie = n->listen->cookie } });
	if (n->agent && n->unit)
		node_emit_service(n);
}

static inline void node_emit_unix_links(struct node *n, const struct node_proc *p)
{
	for (int i = 0; n->agent && i < p->spec.unix_links; i++)
		node_emit(n, (struct fact){ .type = FACT_UNIX_LINK,
					    .unix_link = { .pid = p->pid,
							   .start = p->start,
							   .fd = 10 + i,
							   .peer_pid = n->agent,
							   .peer_start = node_start_of(n, n->agent),
							   .path = p->spec.domain_socket } });
}

static inline void node_emit_sockets(struct node *n)
{
	int64_t mono = n->now + 1;

	for (size_t i = 0; i < n->n_socks; i++)
		if (node_sock_shown(n->socks[i]))
			node_emit_sock(n, n->socks[i], mono);
	node_emit_agent(n);
	for (size_t i = 0; i < n->n_procs; i++)
		if (n->procs[i]->alive && !n->procs[i]->unseen)
			node_emit_unix_links(n, n->procs[i]);
}

static inline void node_emit_entry(struct node *n, uint64_t cookie, uint64_t netns,
				   enum ew_tri present)
{
	node_emit(n,
		  (struct fact){ .type = FACT_CT_ENTRY,
				 .ct_entry = { .cookie = cookie,
					       .netns = netns,
					       .present = present,
					       .timeout = (n->entry_left ? n->entry_left : 432000) *
							  NODE_SECOND } });
}

static inline void node_emit_keepalive(struct node *n, const struct node_sock *s)
{
	if (s->keepidle)
		node_emit(n,
			  (struct fact){ .type = FACT_KEEPALIVE,
					 .keepalive = { .cookie = s->cookie,
							.on = EW_YES,
							.idle = (uint32_t)s->keepidle,
							.interval = (uint32_t)s->keepidle,
							.count = 127,
							.probe_in = s->keepidle * NODE_SECOND } });
}

/* The other end has other addresses than its own. */
static inline void node_emit_translated(struct node *n, const struct node_sock *s)
{
	node_emit(n, (struct fact){ .type = FACT_CT_ENTRY,
				    .ct_entry = { .cookie = s->cookie,
						  .netns = n->agent_ns,
						  .present = EW_YES,
						  .timeout = 432000 * NODE_SECOND,
						  .translated = true,
						  .reply_local = s->peer->local,
						  .reply_remote = s->peer->remote } });
}

static inline void node_emit_ct_active(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_CT_ACTIVE,
				    .ct_active = { .netns = n->agent_ns,
						   .in_force = n->tracking,
						   .established = n->established * NODE_SECOND } });
	for (size_t i = 0; i < n->n_socks; i++) {
		const struct node_sock *s = n->socks[i];

		if (!node_sock_shown(s) || s->remote.port != NODE_PORT)
			continue;
		node_emit_keepalive(n, s);
		if (s->translated)
			node_emit_translated(n, s);
		else
			node_emit_entry(n, s->cookie, n->agent_ns, s->entry);
		if (s->netns == n->agent_ns)
			continue;
		node_emit(n, (struct fact){ .type = FACT_CT_ACTIVE,
					    .ct_active = { .netns = s->netns,
							   .in_force = n->tracking_there } });
		node_emit_entry(n, s->cookie, s->netns, s->entry);
	}
}

/* The API answers; a good answer lists every executor that lives, unless the test says otherwise.
 */
static inline void node_api(struct node *n)
{
	bool good = n->api_status == 200;
	const char *task;

	n->answer_nr++;
	for (size_t i = 0; good && !n->lists_nobody && i < n->n_procs; i++) {
		const struct node_proc *p = n->procs[i];

		task = p->id;
		if (p->alive && p->is_executor && !p->spec.dark)
			node_emit(n, (struct fact){
					     .type = FACT_API_EXECUTOR,
					     .api_executor = { .answer_nr = n->answer_nr,
							       .framework_id = p->spec.framework,
							       .executor_id = p->id,
							       .container_id = p->spec.container,
							       .tasks = &task,
							       .n_tasks = 1 } });
	}
	node_emit(n, (struct fact){ .type = FACT_API,
				    .api = { .url = "http://10.0.0.7:5051",
					     .http_status = n->api_status,
					     .problem = good || n->api_status == 503 ? ""
							: n->api_status ? "401 Unauthorized"
									: "no answer",
					     .recovering = n->api_status == 503,
					     .slave_id = !good	     ? ""
							 : n->api_id ? n->api_id
								     : NODE_AGENT_ID,
					     .reregister_timeout =
						     good ? n->rereg_timeout * NODE_SECOND : 0,
					     .complete = n->api_complete,
					     .version = n->agent_version,
					     .answer_nr = n->answer_nr } });
}

static inline void node_emit_checkpoints(struct node *n)
{
	const char *task;

	for (size_t i = 0; i < n->n_procs; i++) {
		const struct node_proc *p = n->procs[i];
		char upid[64] = "";

		if (!p->is_executor || p->spec.dark ||
		    strcmp(p->spec.slave_id, n->work_dir_id) != 0)
			continue;
		if (!p->spec.v1 && !p->spec.unregistered)
			snprintf(upid, sizeof(upid), "executor(1)@10.0.0.7:%d", p->port);
		task = p->id;
		node_emit(n, (struct fact){
				     .type = FACT_CHECKPOINT,
				     .checkpoint = { .slave_id = n->work_dir_id,
						     .framework_id = p->spec.framework,
						     .executor_id = p->id,
						     .container_id = p->spec.container,
						     .forked_pid = p->pid,
						     .forked_wall = node_forked_wall(p),
						     .upid = upid,
						     .http = p->spec.v1 && !p->spec.unregistered,
						     .completed = p->spec.completed,
						     .latest = n->latest_runs,
						     .own_boot = n->own_boot,
						     .tasks = &task,
						     .n_tasks = !p->task_over,
						     .recoverable = p->spec.recoverable,
						     .obstacle = p->spec.obstacle } });
	}
	node_emit(n, (struct fact){ .type = FACT_WORK_DIR,
				    .work_dir = { .path = "/var/lib/mesos",
						  .slave_id = n->work_dir_id,
						  .readable = n->work_dir_readable,
						  .same_boot = n->same_boot ? n->same_boot : EW_YES,
						  .latest = n->latest,
						  .boot_written = n->boot_written,
						  .owner_known = EW_YES } });
}

static inline void node_snapshot_of(struct node *n, uint32_t scope)
{
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "begin", scope } });
	for (size_t i = 0; scope & SCAN_PROCESSES && i < n->n_procs; i++)
		if (n->procs[i]->alive && !n->procs[i]->unseen)
			node_emit_process(n, n->procs[i]);
	if (scope & SCAN_SOCKETS)
		node_emit_sockets(n);
	if (scope & SCAN_TRACKING)
		node_emit_ct_active(n);
	if (scope & SCAN_API && n->agent)
		node_api(n);
	if (scope & SCAN_CHECKPOINTS && !n->no_work_dir)
		node_emit_checkpoints(n);
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", scope & ~n->fails } });
}

static inline void node_judge(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_NOW });
}

static inline void node_snapshot(struct node *n)
{
	node_snapshot_of(n, n->scope);
	node_judge(n);
}

/* Its recovery is over: it answers. */
static inline void node_agent_serves(struct node *n)
{
	n->api_status = 200;
	node_snapshot(n);
}

/* ---- what the model says ---- */

static inline struct report *node_report(struct node *n, enum report_kind kind)
{
	struct report *report = model_report(n->model, kind);

	assert_non_null(report);
	return report;
}

static inline const struct report_executor *node_find(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->n_executors; i++)
		if (strcmp(report->executors[i].executor_id, id) == 0)
			return &report->executors[i];
	return NULL;
}

/* "none": the report has no such executor. */
static inline const char *node_verdict(struct node *n, const char *id)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	const struct report_executor *e = node_find(report, id);
	const char *name = e ? verdict_name(e->verdict) : "none";

	report_free(report);
	return name;
}

static inline const char *node_outcome(struct node *n, const char *id)
{
	struct report *report = node_report(n, REPORT_VERIFY);
	const struct report_executor *e = node_find(report, id);
	static char text[64];

	snprintf(text, sizeof(text), "%s%s%s", e ? outcome_name(e->outcome) : "none",
		 e && e->proof ? " by " : "", e && e->proof ? proof_name(e->proof) : "");
	report_free(report);
	return text;
}

static inline int node_exit_code(struct node *n, enum report_kind kind)
{
	struct report *report = node_report(n, kind);
	int code = report->exit_code;

	report_free(report);
	return code;
}

static inline void node_sink_emit(void *ctx, const struct fact *fact)
{
	node_emit(ctx, *fact);
}

/* The audit that outcomes are compared with. */
static inline void node_baseline(struct node *n)
{
	struct fact_sink sink = { node_sink_emit, n };
	struct report *audit = node_report(n, REPORT_AUDIT);

	model_baseline(audit, &sink);
	report_free(audit);
}

static inline bool node_done(struct node *n, enum model_until until)
{
	int64_t next;

	return model_done(n->model, until, &next);
}

#endif
