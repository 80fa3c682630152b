/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One link: its keepalive is read and set through a copy of the descriptor. */
#include "act/protect_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "act/inject/inject_preflight.h"
#include "act/inject/inject_result.h"
#include "base/error.h"
#include "base/now.h"

#define COPY_WAIT  (2000 * NS_PER_MS)
#define PROBE_TIME (500 * NS_PER_MS) /* an entry that expires sooner may be gone by then */

void protect_link_init(struct protect_link *t, const struct protect_target *asked, bool dry_run)
{
	t->asked = asked;
	t->lifetime = asked->lifetime;
	act_result_plan(&t->end, asked->refused, asked->skipped, asked->reason_id, dry_run);
}

/* A copy of the descriptor that was checked to be that very socket, ESTABLISHED; -1: refused. */
static int target_copy(struct protect_link *t)
{
	struct inject_request request = t->asked->request;
	struct inject_result result = { 0 };
	struct inject_end end;
	char text[sizeof(t->end.reason)];
	int copy = -1, err;

	request.deadline = now_mono() + COPY_WAIT;
	err = inject_preflight(&request, &copy, &end);
	if (!err && copy < 0)
		act_result_set(&t->end, "refused", inject_reason_id(INJECT_R_NO_PIDFD),
			       "keepalive is set through a copy of the descriptor, which this "
			       "kernel cannot make (Linux 5.6)");
	if (!err)
		return copy;
	inject_result_fill(&request, &end, &result);
	act_result_set(&t->end, "refused", inject_reason_id(result.reason),
		       error_text(&result.error, text, sizeof(text)));
	return -1;
}

static void target_call_failed(struct protect_link *t, int err, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s descriptor %d of process %d: %s", what,
		 t->asked->request.fd, t->asked->request.pid, strerror(-err));
	act_result_set(&t->end, "failed", "call-error", text);
}

void protect_link_read_before(struct protect_link *t)
{
	int copy = target_copy(t), err;

	if (copy < 0)
		return;
	err = keepalive_read(copy, &t->before);
	close(copy);
	t->has_before = !err;
	if (err)
		target_call_failed(t, err, "read the keepalive of");
}

bool protect_link_set(struct protect_link *t, const struct keepalive *wanted)
{
	int copy = target_copy(t), err;

	if (copy < 0)
		return false;
	err = keepalive_write(copy, wanted);
	if (!err)
		err = keepalive_read(copy, &t->after);
	close(copy);
	t->has_after = !err;
	if (err)
		target_call_failed(t, err, "set the keepalive of");
	else if (!keepalive_equal(&t->after, wanted))
		act_result_set(&t->end, "failed", "not-set",
			       "the kernel does not show the values that were "
			       "set");
	return !t->end.result;
}

void protect_link_check_entry(struct protect_link *t, const struct protect_entry *entry,
			      const struct error *error)
{
	char text[sizeof(t->end.reason)], why[400];

	snprintf(text, sizeof(text), "its entry of connection tracking could not be read%s%s",
		 error->code ? ": " : "", error->code ? error_text(error, why, sizeof(why)) : "");
	if (entry->state == ENTRY_GONE)
		act_result_set(
			&t->end, "refused", "no-entry",
			"its entry of connection tracking is gone: a probe would break the link");
	else if (entry->state != ENTRY_THERE)
		act_result_set(&t->end, "refused", "entry-unknown", text);
	else if (entry->earliest <= now_mono() + PROBE_TIME)
		act_result_set(
			&t->end, "refused", "expiring",
			"its entry of connection tracking expires this very moment: a probe may "
			"come too late and break the link");
}
