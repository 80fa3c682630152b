/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was lost, by cause. */
#include <stdlib.h>
#include <string.h>

#include "base/now.h"
#include "observe/bpf/libbpf.h"
#include "facts.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/history.h"
#include "observe/bpf/observer_priv.h"
#include "observe/bpf/event_decode.h"

bool ew_bpf_counters_sum(const struct ew_bpf *watch, struct ew_counters *sum)
{
	int cpus = libbpf_num_possible_cpus();
	struct ew_counters *each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	uint32_t zero = 0;
	bool read;

	read = each &&
	       bpf_map_lookup_elem(bpf_map__fd(watch->skel->maps.counters), &zero, each) == 0;
	if (!read)
		goto out;
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < cpus; i++) {
		const __u64 *from = (const void *)&each[i];
		__u64 *to = (void *)sum;

		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += from[k];
	}
	sum->life_seen -= watch->selftest.taken;
	sum->life_shown -= watch->selftest.taken;
out:
	free(each);
	return read;
}

uint64_t ew_bpf_skipped(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	/* The field is of 5.12; older kernels leave it 0. */
	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) == 0 ? info.recursion_misses : 0;
}

static void skipped_read(const struct ew_bpf *watch, struct ew_bpf_counts *counts)
{
	counts->skipped = watch->meta.skipped;
	for (size_t i = 0; i < bpf_slots_n; i++) {
		uint64_t skipped =
			watch->progs[i] ? ew_bpf_skipped(bpf_program__fd(watch->progs[i])) : 0;

		if (bpf_slots[i].skip == EW_BPF_SKIP_LOSES)
			counts->skipped += skipped;
		else if (bpf_slots[i].skip == EW_BPF_SKIP_HEALS)
			counts->skipped_healed += skipped;
	}
}

static bool lost_emit(const char *cause, uint64_t lost, uint64_t before, uint64_t seen, bool all,
		      const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_LOST };
	if (!all && lost == before)
		return false;
	fact.mono = now_mono();
	fact.lost.cause = cause;
	fact.lost.lost = lost;
	fact.lost.seen = seen;
	fact_emit(sink, &fact);
	return lost != before;
}

/* Events of which there never was a record. */
static uint64_t untold(const struct ew_counters *c)
{
	return c->life_lost + c->life_unkept + c->life_unnamed + c->message_lost;
}

/*
 * What a watch that was killed has read, and kept no longer: nobody can tell of it any more, nor by
 * what the events between were lost, which counters_since_begin() leaves out.
 */
static void history_emit(struct ew_bpf *watch, const struct fact_sink *sink)
{
	struct ew_bpf_history_begin begin = ew_bpf_history_begin(watch->history);
	struct fact fact = { .type = FACT_LOST, .mono = (int64_t)begin.unknown_until };

	if (!begin.let_go || watch->history_told)
		return;
	fact.lost.cause = "history";
	fact.lost.lost = begin.let_go + untold(&begin.counted);
	fact_emit(sink, &fact);
	watch->history_told = true;
}

/* What was counted before the first record that is still known does not concern this watch. */
static bool counters_since_begin(const struct ew_bpf *watch, struct ew_counters *sum)
{
	struct ew_bpf_history_begin begin;
	__u64 *to = (void *)sum;

	if (!ew_bpf_counters_sum(watch, sum))
		return false;
	if (!watch->history)
		return true;
	begin = ew_bpf_history_begin(watch->history);
	for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
		to[k] -= ((const __u64 *)&begin.counted)[k];
	return true;
}

/* What is still in the map was not read from the ring: the ring has been drained before. */
static void exits_emit(struct ew_bpf *watch, const struct fact_sink *sink)
{
	int fd = bpf_map__fd(watch->skel->maps.exits);
	struct ew_exit_key key;
	struct ew_exit end;

	while (bpf_map_get_next_key(fd, NULL, &key) == 0) {
		if (bpf_map_lookup_elem(fd, &key, &end) == 0)
			ew_bpf_take_event(watch, &end, sizeof(end));
		else
			bpf_map_delete_elem(fd, &key);
	}
	event_batch_put(watch->batch, sink);
}

bool ew_bpf_counters(struct ew_bpf *watch, bool all, const struct fact_sink *sink)
{
	struct ew_bpf_counts now = { .memory = watch->no_memory };
	const struct ew_counters *was = &watch->told.sum, *is = &now.sum;
	bool lost = false;

	if (!counters_since_begin(watch, &now.sum))
		return false; /* the next time tells */
	skipped_read(watch, &now);
	if (is->life_lost != was->life_lost) {
		ew_bpf_dispatch(watch, sink);
		exits_emit(watch, sink);
	}
	if (watch->history)
		history_emit(watch, sink);
	lost |= lost_emit("lifecycle-ring", is->life_lost, was->life_lost, is->life_seen, all,
			  sink);
	lost |= lost_emit("message-ring", is->message_lost, was->message_lost, is->message_seen,
			  all, sink);
	lost |= lost_emit("message-memory", is->message_unread, was->message_unread, 0, all, sink);
	lost |= lost_emit("map-full", is->life_unkept + is->unfollowed,
			  was->life_unkept + was->unfollowed, 0, all, sink);
	lost |= lost_emit("no-cookie", is->life_unnamed, was->life_unnamed, 0, all, sink);
	lost |= lost_emit("recursion", now.skipped, watch->told.skipped, 0, all, sink);
	lost |= lost_emit("memory", now.memory, watch->told.memory, 0, all, sink);
	lost |= now.skipped_healed != watch->told.skipped_healed;
	watch->told = now;
	return lost;
}
