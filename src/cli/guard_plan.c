/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/guard_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "act/shutdown.h"
#include "act/standby.h"
#include "base/array.h"
#include "base/error.h"
#include "base/memory_lock.h"
#include "base/now.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"
#include "observe/netlink/other_listener.h"

/* Code and data of the program with its libraries have about 10 MB. */
#define LOCKED_MAX (64 << 20)

struct guard_plan {
	struct guard_plan_options with;
	struct armed_head head;
	struct other_listener *others;
	struct standby *standby;
	struct model_target *targets; /* as the thread has them, in the same order */
	size_t n;
	uint64_t *logged; /* cookies of those whose intent is on disk */
	size_t n_logged, cap_logged;
	bool warned; /* of memory that is not locked */
};

static bool next_listens(void *ctx)
{
	struct guard_plan *plan = ctx;

	return other_listener_is_there(plan->others);
}

static void head_fill(struct guard_plan *plan)
{
	const struct guard_plan_options *with = &plan->with;

	plan->head = (struct armed_head){ .armed = now_wall(),
					  .agent_pid = with->agent->pid,
					  .agent_start = with->agent->start,
					  .by_pid = getpid(),
					  .port = with->options->port };
	snprintf(plan->head.boot_id, sizeof(plan->head.boot_id), "%s",
		 session_boot_id(with->session));
}

/* The act is then later by what the disk or other processes need, not wrong. */
static void conditions_tell(const struct guard_plan *plan)
{
	int err = memory_lock_program(LOCKED_MAX);

	if (err)
		log_message("the guard's memory cannot be locked (%s): its act may wait for a "
			    "disk; allow CAP_IPC_LOCK",
			    strerror(-err));
	if (!standby_is_first(plan->standby))
		log_message("the guard has no real-time priority: on a busy host its act may be "
			    "late; allow CAP_SYS_NICE");
}

int guard_plan_new(const struct guard_plan_options *options, struct guard_plan **ret,
		   struct error *error)
{
	struct guard_plan *plan = calloc(1, sizeof(*plan));
	struct standby_options standby = { .agent_pid = options->agent->pid,
					   .agent_start = options->agent->start,
					   .workers = options->workers,
					   .n_workers = options->n_workers,
					   .planner = options->planner,
					   .next_listens = next_listens,
					   .ctx = plan };
	int err;

	if (!plan)
		return error_set(error, -ENOMEM, NULL, "arm the guard");
	plan->with = *options;
	head_fill(plan);
	err = other_listener_open(session_netns(options->session), options->options->port,
				  &plan->others, error);
	if (!err)
		err = standby_new(&standby, &plan->standby, error);
	if (err) {
		guard_plan_free(plan, false);
		return err;
	}
	conditions_tell(plan);
	*ret = plan;
	return 0;
}

void guard_plan_stop(struct guard_plan *plan)
{
	standby_stop(plan->standby);
}

void guard_plan_free(struct guard_plan *plan, bool finished)
{
	if (!plan)
		return;
	standby_free(plan->standby, finished);
	other_listener_close(plan->others);
	free(plan->targets);
	free(plan->logged);
	free(plan);
}

/* ---- renewal ---- */

static bool is_same(const struct guard_plan *plan, const struct model_target *targets, size_t n)
{
	for (size_t i = 0; i < n && n == plan->n; i++)
		if (plan->targets[i].cookie != targets[i].cookie ||
		    plan->targets[i].fd != targets[i].fd ||
		    plan->targets[i].pid != targets[i].pid ||
		    plan->targets[i].start != targets[i].start)
			return false;
	return n == plan->n && plan->targets;
}

static int cookie_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct fact intent_of(const struct model_target *target, enum inject_method method)
{
	return (struct fact){ .type = FACT_ACT,
			      .mono = now_mono(),
			      .act = {
				      .phase = "intent",
				      .action = "shutdown",
				      .framework_id = target->framework_id,
				      .executor_id = target->executor_id,
				      .pid = target->pid,
				      .start = target->start,
				      .fd = target->fd,
				      .cookie = target->cookie,
				      .inode = target->inode,
				      .method = inject_method_name(method),
				      .result = "",
				      .reason = "if it does not notice the agent's end",
				      .reason_id = "guard",
				      .stopped = -1,
				      .effect = -1,
				      .interrupted = -1,
				      .copies = -1,
				      .copies_left = -1,
			      } };
}

static bool is_logged(const struct guard_plan *plan, size_t n_logged, uint64_t cookie)
{
	return n_logged &&
	       bsearch(&cookie, plan->logged, n_logged, sizeof(cookie), cookie_order) != NULL;
}

/* Each intent once. */
static int intents_log(struct guard_plan *plan, const struct model_target *targets, size_t n,
		       struct error *error)
{
	size_t before = plan->n_logged;
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		struct fact intent = intent_of(&targets[i], plan->with.method);

		if (is_logged(plan, before, targets[i].cookie))
			continue;
		err = audit_log_write(plan->with.log, &intent, error);
		if (!err && array_reserve(&plan->logged, &plan->cap_logged, plan->n_logged,
					  sizeof(*plan->logged)) < 0)
			err = error_set(error, -ENOMEM, NULL, "arm the guard");
		if (!err)
			plan->logged[plan->n_logged++] = targets[i].cookie;
	}
	if (!err && plan->n_logged > before)
		err = audit_log_sync(plan->with.log, error);
	if (err)
		plan->n_logged = before;
	else if (plan->n_logged > before)
		qsort(plan->logged, plan->n_logged, sizeof(*plan->logged), cookie_order);
	return err;
}

static struct inject_request request_of(const struct model_target *target,
					const struct guard_plan_options *with)
{
	return (struct inject_request){ .pid = target->pid,
					.start = target->start,
					.fd = target->fd,
					.inode = target->inode,
					.cookie = target->cookie,
					.method = with->method,
					.claims = with->claims };
}

static struct armed_record record_of(const struct model_target *target)
{
	struct armed_record record = { .pid = target->pid,
				       .start = target->start,
				       .fd = target->fd,
				       .inode = target->inode,
				       .cookie = target->cookie };

	snprintf(record.executor_id, sizeof(record.executor_id), "%s", target->executor_id);
	snprintf(record.framework_id, sizeof(record.framework_id), "%s", target->framework_id);
	return record;
}

static int file_new(struct guard_plan *plan, const struct model_target *targets, size_t n,
		    struct armed_file **ret, struct error *error)
{
	struct armed_record *records = calloc(n + 1, sizeof(*records));
	int err;

	if (!records)
		return error_set(error, -ENOMEM, NULL, "arm the guard");
	for (size_t i = 0; i < n; i++)
		records[i] = record_of(&targets[i]);
	err = armed_file_new(plan->with.options->run_dir, &plan->head, records, n, ret, error);
	free(records);
	return err;
}

static void lock_tell(struct guard_plan *plan, bool locked)
{
	if (!locked && !plan->warned)
		log_message("the guard's list cannot be locked in memory; allow CAP_IPC_LOCK");
	plan->warned |= !locked;
}

static int standby_give(struct guard_plan *plan, const struct model_target *targets, size_t n,
			bool *armed, struct error *error)
{
	struct standby_link *links = calloc(n + 1, sizeof(*links));
	struct armed_file *file;
	bool locked = true;
	int err = links ? file_new(plan, targets, n, &file, error)
			: error_set(error, -ENOMEM, NULL, "arm the guard");

	for (size_t i = 0; !err && i < n; i++)
		links[i] = (struct standby_link){
			.request = request_of(&targets[i], &plan->with),
			.pidfd = -1,
			.record = &armed_file_records(file)[i],
		};
	*armed = false;
	if (!err)
		err = standby_arm(plan->standby, links, n, file, armed, &locked, error);
	lock_tell(plan, locked);
	free(links);
	return err;
}

int guard_plan_renew(struct guard_plan *plan, struct error *error)
{
	struct model_target *targets = NULL;
	size_t n = 0;
	bool armed = false;
	int err;

	if (guard_plan_acted(plan))
		return 0;
	if (model_guard_plan(session_model(plan->with.session), &targets, &n) < 0)
		return error_set(error, -ENOMEM, NULL, "arm the guard");
	if (is_same(plan, targets, n)) {
		free(targets);
		return 0;
	}
	err = intents_log(plan, targets, n, error);
	if (!err)
		err = standby_give(plan, targets, n, &armed, error);
	if (!armed) {
		free(targets);
		return err == -EALREADY ? 0 : err;
	}
	free(plan->targets);
	plan->targets = targets;
	plan->n = n;
	return err;
}

size_t guard_plan_links(const struct guard_plan *plan)
{
	return plan->n;
}

/* ---- after the act ---- */

int guard_plan_fd(const struct guard_plan *plan)
{
	return standby_fd(plan->standby);
}

bool guard_plan_acted(struct guard_plan *plan)
{
	return standby_acted(plan->standby);
}

int64_t guard_plan_ended(const struct guard_plan *plan)
{
	return standby_ended(plan->standby);
}

size_t guard_plan_results(const struct guard_plan *plan, struct shutdown_target *targets)
{
	size_t n, count = 0;
	const struct standby_link *links = standby_links(plan->standby, &n);

	for (size_t i = 0; i < n; i++)
		if (links[i].begun)
			targets[count++] = (struct shutdown_target){
				.executor_id = plan->targets[i].executor_id,
				.framework_id = plan->targets[i].framework_id,
				.request = links[i].request,
				.injected = &links[i].injected,
				.begun = links[i].begun,
			};
	return count;
}

static const struct standby_link *link_find(const struct guard_plan *plan, uint64_t cookie)
{
	size_t n;
	const struct standby_link *links = standby_links(plan->standby, &n);

	for (size_t i = 0; i < n; i++)
		if (links[i].begun && links[i].request.cookie == cookie)
			return &links[i];
	return NULL;
}

bool guard_plan_has_result(const struct guard_plan *plan, uint64_t cookie)
{
	return link_find(plan, cookie) != NULL;
}

void guard_plan_logged(struct guard_plan *plan, uint64_t cookie)
{
	const struct standby_link *link = link_find(plan, cookie);

	if (link)
		link->record->logged = 1;
}

void guard_plan_all_logged(struct guard_plan *plan)
{
	size_t n;
	const struct standby_link *links = standby_links(plan->standby, &n);

	for (size_t i = 0; i < n; i++)
		if (links[i].begun)
			links[i].record->logged = 1;
}
