/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/json/watch_jsonl.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonval.h"
#include "base/factjson.h"
#include "base/hash.h"
#include "base/walltime.h"
#include "show/json/json_report.h"
#include "show/json/json_fields.h"
#include "show/textbuf.h"

#define REPORTED_MAX 10000 /* beyond this all are forgotten, and lines may come again */

#define SLOTS 16384 /* more than that */

/* What an executor's line said last, as numbers: there are thousands. */
struct judged {
	uint64_t executor; /* 0: the slot is free */
	uint64_t judgement;
};

struct watch_jsonl {
	FILE *out;
	uint64_t seq;
	int64_t wall_offset; /* of this host, or of the window once that has come */
	json_t *reported; /* the last line of each key whose lines are written only when they change
			   */
	struct judged *judged; /* SLOTS of them, an executor in the first free from its number on */
	size_t n_judged;
	int err; /* the first line that could not be written */
};

struct watch_jsonl *watch_jsonl_new(FILE *out)
{
	struct watch_jsonl *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->out = out;
	lines->wall_offset = walltime_offset();
	lines->reported = json_object();
	lines->judged = calloc(SLOTS, sizeof(*lines->judged));
	if (!lines->reported || !lines->judged) {
		watch_jsonl_free(lines);
		return NULL;
	}
	return lines;
}

void watch_jsonl_free(struct watch_jsonl *lines)
{
	if (!lines)
		return;
	json_decref(lines->reported);
	free(lines->judged);
	free(lines);
}

static int text_write(FILE *out, const char *json)
{
	char *line;
	int len = asprintf(&line, "%s\n", json);
	int err;

	if (len < 0)
		return -ENOMEM;
	err = textbuf_write(out, line, (size_t)len);
	free(line);
	return err;
}

static struct fields line_begin(struct watch_jsonl *lines, int64_t mono, const char *type)
{
	struct fields f = fields_new();

	field_u64(&f, "seq", ++lines->seq);
	field_wall(&f, "ts", mono + lines->wall_offset);
	field_int(&f, "mono_ns", mono);
	field_text(&f, "type", type);
	return f;
}

/* Writes {seq, ts, mono_ns, type, and the members of body}. */
static void line_write(struct watch_jsonl *lines, int64_t mono, const char *type, json_t *body)
{
	struct fields f;
	json_t *line;
	char *json;

	if (lines->err)
		return;
	f = line_begin(lines, mono, type);
	line = fields_done(&f);
	if (!line || !body || json_object_update_missing(line, body) < 0) {
		lines->err = -ENOMEM;
		json_decref(line);
		return;
	}
	json = jsonval_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(JSON_REAL_DIGITS));
	lines->err = json ? text_write(lines->out, json) : -ENOMEM;
	free(json);
	json_decref(line);
}

enum event { EVENT_NONE, EVENT_ALWAYS, EVENT_CHANGED };

static enum event event_kind(enum fact_type type)
{
	switch (type) {
	case FACT_SESSION:
	case FACT_TCP:
	case FACT_FORK:
	case FACT_EXEC:
	case FACT_SIGNAL:
	case FACT_MESSAGE:
	case FACT_ACT:
	case FACT_COMMAND:
		return EVENT_ALWAYS;
	case FACT_EXIT: /* after a loss of events, a scan may report it again */
	case FACT_HOOK:
	case FACT_AGENT:
	case FACT_API:
	case FACT_UNREAD:
	case FACT_LOST:
		return EVENT_CHANGED;
	default:
		return EVENT_NONE;
	}
}

/* What a fact of EVENT_CHANGED is about. */
static void event_key(const struct fact *fact, char *key, size_t size)
{
	const char *type = factjson_type_name(fact->type);

	switch (fact->type) {
	case FACT_HOOK:
		snprintf(key, size, "%s %s", type, fact->hook.hook ? fact->hook.hook : "");
		break;
	case FACT_AGENT:
		snprintf(key, size, "%s %d %" PRIu64, type, fact->agent.pid, fact->agent.start);
		break;
	case FACT_EXIT:
		snprintf(key, size, "%s %d %" PRIu64, type, fact->exit.pid, fact->exit.start);
		break;
	case FACT_UNREAD:
		snprintf(key, size, "%s %s", type, fact->unread.object ? fact->unread.object : "");
		break;
	case FACT_LOST:
		snprintf(key, size, "%s %s", type, fact->lost.cause ? fact->lost.cause : "");
		break;
	default:
		snprintf(key, size, "%s", type);
	}
}

/* The part of body whose change is an event: neither the time nor a running number. */
static json_t *essence_new(const json_t *body)
{
	json_t *essence = json_copy((json_t *)body);

	json_object_del(essence, "mono_ns");
	json_object_del(essence, "round");
	json_object_del(essence, "seen");
	return essence;
}

/* Notes what body says under key, without a check: keys of strangers need not be UTF-8. */
static bool is_reported(struct watch_jsonl *lines, const char *key, const json_t *body)
{
	json_t *essence = essence_new(body);

	if (!essence || json_equal(json_object_get(lines->reported, key), essence)) {
		json_decref(essence);
		return true;
	}
	if (json_object_size(lines->reported) >= REPORTED_MAX)
		json_object_clear(lines->reported);
	json_object_set_new_nocheck(lines->reported, key, essence);
	return false;
}

static void lines_emit(void *ctx, const struct fact *fact)
{
	struct watch_jsonl *lines = ctx;
	enum event kind = event_kind(fact->type);
	char key[512];
	json_t *body;

	if (fact->type == FACT_SESSION)
		lines->wall_offset = fact->session.wall_offset;
	if (kind == EVENT_NONE || lines->err)
		return;
	body = factjson_pack(fact);
	event_key(fact, key, sizeof(key));
	if (kind == EVENT_ALWAYS || !is_reported(lines, key, body))
		line_write(lines, fact->mono, factjson_type_name(fact->type), body);
	json_decref(body);
}

struct fact_sink watch_jsonl_sink(struct watch_jsonl *lines)
{
	return (struct fact_sink){ .emit = lines_emit, .ctx = lines };
}

static uint64_t executor_of(const struct report_executor *executor)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, &executor->pid, sizeof(executor->pid));

	hash = hash_text(hash, executor->framework_id);
	hash = hash_text(hash, executor->executor_id);
	return hash_text(hash, executor->container_id);
}

/* What makes an executor's line worth telling again; idle times and evidence always change. */
static uint64_t judgement_of(const struct report *report, const struct report_executor *executor)
{
	int word = report_has_outcomes(report) ? (int)executor->outcome : (int)executor->verdict;
	const int64_t parts[] = { word, executor->proof, executor->deadline, executor->ends_by,
				  executor->ended };

	return hash_bytes(HASH_BEGIN, parts, sizeof(parts));
}

static struct judged *judged_find(struct watch_jsonl *lines, uint64_t executor)
{
	size_t i = executor % SLOTS;

	while (lines->judged[i].executor && lines->judged[i].executor != executor)
		i = (i + 1) % SLOTS;
	return &lines->judged[i];
}

/* Notes it. */
static bool is_judged(struct watch_jsonl *lines, uint64_t executor, uint64_t judgement)
{
	struct judged *judged = judged_find(lines, executor);

	if (judged->executor && judged->judgement == judgement)
		return true;
	if (!judged->executor && lines->n_judged++ == REPORTED_MAX) {
		memset(lines->judged, 0, SLOTS * sizeof(*lines->judged));
		lines->n_judged = 1;
		judged = judged_find(lines, executor);
	}
	*judged = (struct judged){ executor, judgement };
	return false;
}

/* True: a line was written, or could not be. */
static bool executor_tell(struct watch_jsonl *lines, const struct report *report,
			  const struct report_executor *executor)
{
	json_t *body;

	if (is_judged(lines, executor_of(executor), judgement_of(report, executor)))
		return false;
	body = json_executor(report, executor);
	line_write(lines, report->generated - lines->wall_offset, "executor", body);
	json_decref(body);
	return true;
}

int watch_jsonl_report(struct watch_jsonl *lines, const struct report *report, size_t *next)
{
	const struct report ended = report_ended(report);
	size_t alive = report->n_executors;
	bool written = false;

	while (!written && !lines->err && *next < alive + ended.n_executors) {
		size_t i = (*next)++;

		written = i < alive ? executor_tell(lines, report, &report->executors[i])
				    : executor_tell(lines, &ended, &ended.executors[i - alive]);
	}
	return lines->err ? lines->err : written;
}

int watch_jsonl_end(struct watch_jsonl *lines, const struct report *report)
{
	struct fields f;
	json_t *front;

	if (lines->err)
		return lines->err;
	f = line_begin(lines, report->generated - lines->wall_offset, "summary");
	front = fields_done(&f);
	lines->err = front ? json_report_line_write(lines->out, front, report) : -ENOMEM;
	return lines->err;
}
