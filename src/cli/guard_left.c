/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/guard_left.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act/armed_file.h"
#include "act/audit_log.h"
#include "act/inject/inject_api.h"
#include "act/socket_effect.h"
#include "base/error.h"
#include "base/pidfd.h"
#include "base/proc.h"
#include "base/walltime.h"
#include "cli/log.h"
#include "cli/options.h"
#include "facts.h"

struct left {
	const struct options *options;
	struct audit_log *log; /* NULL: not open */
	bool failed;	       /* not every result is in it */
	size_t treated, untreated;
};

static struct inject_request request_of(const struct armed_record *record)
{
	return (struct inject_request){ .pid = record->pid,
					.start = record->start,
					.fd = record->fd,
					.inode = record->inode,
					.cookie = record->cookie };
}

static void result_log(struct left *left, struct armed_record *record, bool closed)
{
	struct fact fact = { .type = FACT_ACT,
			     .mono = record->begun,
			     .act = {
				     .phase = "result",
				     .action = "shutdown",
				     .framework_id = record->framework_id,
				     .executor_id = record->executor_id,
				     .pid = record->pid,
				     .start = record->start,
				     .fd = record->fd,
				     .cookie = record->cookie,
				     .inode = record->inode,
				     .method = "",
				     .result = closed ? "done" : "failed",
				     .reason = closed ? "" : "the guard was killed during the act",
				     .reason_id = closed ? "" : "killed",
				     .stopped = -1,
				     .effect = -1,
				     .interrupted = -1,
				     .copies = -1,
				     .copies_left = -1,
				     .begun = record->begun,
			     } };
	struct error error = { 0 };

	if (!left->log)
		audit_log_open(left->options->state_dir, &left->log, &error);
	if (left->log)
		audit_log_write_late(left->log, &fact, &error);
	record->logged = !error.code;
	if (!error.code)
		return;
	log_warning_without(&error);
	left->failed = true;
}

/* ESTABLISHED, as if the agent had not ended. */
static bool stands(const struct armed_record *record)
{
	const struct inject_request request = request_of(record);
	int pidfd = ew_pidfd_open(record->pid, false);
	struct inject_result result;
	bool sound = pidfd >= 0 && inject_prepared_check(&request, pidfd, &result) == 0;

	if (pidfd >= 0)
		close(pidfd);
	return sound && socket_effect_read(&request) == SOCKET_OPEN;
}

static void record_tell(struct left *left, struct armed_record *record)
{
	bool called = record->state == ARMED_BEGUN || record->state == ARMED_DONE;
	const struct inject_request request = request_of(record);
	enum socket_effect effect = socket_effect_read(&request);
	bool open = called ? effect == SOCKET_OPEN : stands(record);

	if (called && !record->logged)
		result_log(left, record, effect == SOCKET_CLOSED);
	if (called && !open) {
		left->treated++;
	} else if (open) {
		left->untreated++;
		log_message("  %s (pid %d) still has the link to the agent that has ended%s",
			    record->executor_id, record->pid,
			    called ? "; it may have been shut down" : ": it was not treated");
	}
}

static void head_tell(const struct armed_head *head)
{
	char armed[WALLTIME_TEXT_MAX], ended[WALLTIME_TEXT_MAX];

	walltime_text(head->armed, armed);
	log_message(
		"a guard (pid %d), armed at %s for the agent on port %u (pid %d), was killed or "
		"could not write down the results of its acts",
		head->by_pid, armed, head->port, head->agent_pid);
	if (proc_live_thread(head->agent_pid, head->agent_start) != 0)
		log_message("  that agent still runs: no link was treated");
	else if (head->ended)
		log_message("  it saw the end of that agent at %s",
			    walltime_text(head->ended + walltime_offset(), ended));
	else
		log_message("  that agent has ended since, unseen by the guard");
}

static void file_tell(struct left *left, struct armed_file *file)
{
	const struct armed_head *head = armed_file_head(file);
	struct armed_record *records = armed_file_records(file);
	struct error error = { 0 };

	head_tell(head);
	if (proc_live_thread(head->agent_pid, head->agent_start) != 0)
		return;
	for (uint32_t i = 0; i < head->n; i++)
		record_tell(left, &records[i]);
	log_message(
		"  of %u links it treated %zu; %zu that did not notice the agent's end were not "
		"treated; 'execwatch audit' shows the executors as they are now",
		head->n, left->treated, left->untreated);
	if (!left->log || audit_log_sync(left->log, &error) == 0)
		return;
	log_warning_without(&error);
	left->failed = true;
}

static void one_tell(void *ctx, uint16_t port)
{
	struct left left = { .options = ctx };
	struct armed_file *file;
	struct error error = { 0 };
	char boot_id[64];

	if (armed_file_open(left.options->run_dir, port, &file, &error) < 0) {
		log_warning_without(&error);
		return;
	}
	proc_boot_id(boot_id, sizeof(boot_id));
	if (strcmp(boot_id, armed_file_head(file)->boot_id) == 0)
		file_tell(&left, file);
	audit_log_close(left.log);
	if (left.failed)
		armed_file_free(file); /* stays, for the next one to log it */
	else
		armed_file_remove(file);
}

void guard_left_tell(const struct options *options)
{
	armed_file_list(options->run_dir, one_tell, (void *)options);
}
