/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One send(), as a whole and as head and body in two. */
#include "mesos_fuzz.h"

#include "mesos/message.h"
#include "mesos/reregistered.h"
#include "mesos/task_state.h"

static void check(const struct mesos_message *m, const uint8_t *data, size_t size)
{
	char name[MESOS_MESSAGE_NAME_MAX];

	must_lie_in(m->to, data, size);
	must_lie_in(m->from_text, data, size);
	must_lie_in(m->slave_id, data, size);
	must_lie_in(m->framework_id, data, size);
	must_lie_in(m->executor_id, data, size);
	must_lie_in(m->task_id, data, size);
	must(!m->task_state || mesos_task_state_of(mesos_span_of(m->task_state)) == m->task_state);
	must(!m->has_from || m->from_text.p);
	must(m->kind <= MESOS_TLS && m->call <= MESOS_CALL_HEARTBEAT);
	must((m->kind == MESOS_UNKNOWN) == (*mesos_message_name(m, name) == '\0'));
}

/* Whatever names it is given: one whole message of that kind to that process, or none. */
static void reregistered(const uint8_t *data, size_t size)
{
	char texts[4][200] = { "" }, buf[MESOS_REREGISTERED_MAX];
	struct mesos_reregistered names = { texts[0], texts[1], texts[2], texts[3], 5051 };
	struct mesos_message message;
	size_t at = 0, len;

	for (size_t i = 0; i < size && at < 4; i++) {
		size_t end = strlen(texts[at]);

		if (data[i] == '\n' || end + 1 == sizeof(texts[0]))
			at++;
		else
			texts[at][end] = (char)data[i];
	}
	len = mesos_reregistered(&names, buf);
	if (!len)
		return;
	must(len <= sizeof(buf));
	mesos_message_parse(buf, len, &message);
	must(mesos_span_is(message.to, texts[1]));
	must(message.kind == MESOS_REREGISTERED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut = size > 1 ? data[size - 1] * size / 256 : 0;
	struct mesos_message message;

	mesos_message_parse(data, size, &message);
	check(&message, data, size);
	mesos_message_parse(data, cut, &message);
	check(&message, data, cut);
	mesos_message_parse(data + cut, size - cut, &message);
	check(&message, data + cut, size - cut);
	reregistered(data, size);
	return 0;
}
