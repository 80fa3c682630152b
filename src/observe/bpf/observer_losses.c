/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was lost, by cause. */
#include "base/emit.h"
#include "observe/bpf/counters.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/observer_internal.h"
#include "observe/bpf/records.h"
#include "observe/bpf/rings.h"

/* Events of which there never was a record. */
static uint64_t never_recorded(const struct ew_counters *c)
{
	return c->life_lost + c->life_unkept + c->life_unnamed + c->message_lost;
}

/*
 * Records that a killed execwatch has read, and that are no longer stored, cannot be reported any
 * more; nor how many events between them were lost, which losses_read() leaves out.
 */
static void history_losses_emit(struct ew_bpf *observer, const struct fact_sink *sink)
{
	struct ew_bpf_history_begin begin = ew_bpf_records_begin(observer->records);

	if (!begin.dropped || observer->history_reported)
		return;
	emit_lost(sink, (int64_t)begin.unknown_until, "history",
		  begin.dropped + never_recorded(&begin.counted), 0);
	observer->history_reported = true;
}

/* Since the first record that is still stored. False: no memory. */
static bool losses_read(const struct ew_bpf *observer, struct ew_bpf_losses *now)
{
	struct ew_bpf_history_begin begin = ew_bpf_records_begin(observer->records);

	if (!ew_bpf_records_counters(observer->records, &now->sum))
		return false;
	ew_bpf_counters_subtract(&now->sum, &begin.counted);
	now->misses = ew_bpf_programs_misses(&observer->programs);
	now->misses.lost += observer->meta.misses;
	now->memory = ew_bpf_records_dropped(observer->records);
	return true;
}

/* The ring has been emptied before: an exit that is still in the map never came through it. */
static void exits_emit(struct ew_bpf *observer, const struct fact_sink *sink)
{
	int map = bpf_map__fd(observer->programs.skel->maps.exits);
	struct ew_exit_key key;
	struct ew_exit exit;

	while (bpf_map_get_next_key(map, NULL, &key) == 0) {
		if (bpf_map_lookup_elem(map, &key, &exit) == 0)
			ew_bpf_records_consume(observer->records, &exit, sizeof(exit));
		else
			bpf_map_delete_elem(map, &key);
	}
	ew_bpf_rings_emit(observer->rings, sink);
}

static bool losses_emit(const struct ew_bpf_losses *now, const struct ew_bpf_losses *reported,
			bool all, const struct fact_sink *sink)
{
	const struct ew_counters *is = &now->sum, *was = &reported->sum;
	const struct {
		const char *cause;
		uint64_t lost, before, seen;
	} causes[] = {
		{ "lifecycle-ring", is->life_lost, was->life_lost, is->life_seen },
		{ "message-ring", is->message_lost, was->message_lost, is->message_seen },
		{ "message-memory", is->message_unread, was->message_unread, 0 },
		{ "map-full", is->life_unkept + is->unfollowed, was->life_unkept + was->unfollowed,
		  0 },
		{ "no-cookie", is->life_unnamed, was->life_unnamed, 0 },
		{ "recursion", now->misses.lost, reported->misses.lost, 0 },
		{ "memory", now->memory, reported->memory, 0 },
	};
	bool lost = false;

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		uint64_t before = causes[i].before;

		lost |= emit_lost_changes(sink, all, causes[i].cause, causes[i].lost,
					  causes[i].seen, &before);
	}
	return lost;
}

bool ew_bpf_counters(struct ew_bpf *observer, bool all, const struct fact_sink *sink)
{
	struct ew_bpf_losses now;
	bool lost;

	if (!losses_read(observer, &now))
		return false; /* the next call reports */
	if (now.sum.life_lost != observer->reported.sum.life_lost) {
		ew_bpf_dispatch(observer, sink);
		exits_emit(observer, sink);
	}
	history_losses_emit(observer, sink);
	lost = losses_emit(&now, &observer->reported, all, sink);
	lost |= now.misses.healed != observer->reported.misses.healed;
	observer->reported = now;
	return lost;
}
