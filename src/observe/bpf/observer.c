/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/observer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/now.h"
#include "observe/bpf/history.h"
#include "observe/bpf/libbpf.h"
#include "facts.h"
#include "base/error.h"
#include "observe/bpf/pins.h"
#include "observe/bpf/observer_priv.h"
#include "observe/bpf/rings.h"
#include "observe/bpf/selftest.h"
#include "observe/bpf/event_decode.h"

/* libbpf's print callback has no context: where it leads is the library's state, not ours. */
static void (*log_line)(const char *line);

static int __attribute__((format(printf, 2, 0)))
log_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text, *rest, *line;

	if (!log_line || level == LIBBPF_DEBUG || vasprintf(&text, fmt, args) < 0)
		return 0;
	rest = text; /* the verifier's log comes as one text of many lines */
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_line(line);
	free(text);
	return 0;
}

void ew_bpf_log_to(void (*log)(const char *line))
{
	log_line = log;
	libbpf_set_print(log_print);
}

/* A small part of the time in which a restart of a large node's agent fills a ring. */
#define RELIEVE (5 * NS_PER_MS)
/* So often at most in a row: who drains has other things to do. */
#define DRAINS 8
/* More than that stays in the rings, which count what they lose. */
#define HELD_MAX (32u << 20)
/* That is told as soon as it can be, and not after all that is being done. */
#define HELD_LONG (1u << 20)

void ew_bpf_take(struct ew_bpf *watch, const void *record, size_t size)
{
	if (event_batch_add(watch->batch, record, size) < 0)
		watch->no_memory++;
}

/* Read: the map may forget it. */
static void exit_forget(struct ew_bpf *watch, const struct ew_exit *ev)
{
	struct ew_exit_key key = { .tgid = ev->task.tgid, .start_ticks = ev->task.start_ticks };

	bpf_map_delete_elem(bpf_map__fd(watch->skel->maps.exits), &key);
}

void ew_bpf_take_event(struct ew_bpf *watch, const void *record, size_t size)
{
	const struct ew_header *header = record;

	if (ew_bpf_selftest_takes(&watch->selftest, header)) {
		if (watch->history)
			ew_bpf_history_own_note(watch->history, watch->selftest.taken);
	} else if (!watch->history ||
		   ew_bpf_history_keep(watch->history, header, &watch->counted)) {
		ew_bpf_take(watch, record, size);
	}
	if (header->type == EW_EXIT)
		exit_forget(watch, record);
}

static void ring_record(void *ctx, const void *record, size_t size)
{
	ew_bpf_take_event(ctx, record, size);
}

/* Loaded and attached is not yet seeing. */
static int selftest(struct ew_bpf *watch, const struct fact_sink *sink, struct error *error)
{
	char reason[EW_BPF_REASON_MAX] = "";
	struct error failed = { 0 };
	int err = ew_bpf_selftest(watch, &failed);

	if (err)
		error_text(&failed, reason, sizeof(reason));
	emit_hook(sink, "self-test", "fork and exit", reason, false);
	if (err && error)
		*error = failed;
	return err;
}

/*
 * What these programs' maps are to hold, and whether an earlier execwatch has left such maps. Those
 * of another layout are removed: there is nothing to be had from them. Without pins it works too.
 */
static void pins_find(struct ew_bpf *watch, const struct ew_bpf_options *options,
		      const struct fact_sink *sink)
{
	struct ew_meta *meta = &watch->meta, found = { 0 };
	struct error error = { 0 };
	char reason[EW_BPF_REASON_MAX] = "";

	meta->abi = EW_ABI;
	meta->agent_port = options->agent_port;
	meta->life_ring = options->life_ring ? options->life_ring : EW_LIFE_RING;
	meta->message_ring = options->message_ring ? options->message_ring : EW_MESSAGE_RING;
	meta->generation = 1;
	if (!options->pins)
		return;
	snprintf(watch->pins, sizeof(watch->pins), "%s", options->pins);
	if (ew_bpf_pins_mount(options->pins, &error) < 0) {
		watch->pins[0] = '\0';
		return emit_hook(sink, "pins", "", error_text(&error, reason, sizeof(reason)), false);
	}
	if (ew_bpf_history_is_in(options->pins) && ew_bpf_pins_meta(options->pins, &found)) {
		meta->generation = found.generation + 1;
		found.generation = meta->generation;
		meta->skipped = found.skipped;
	}
	watch->resumed = memcmp(meta, &found, sizeof(found)) == 0;
	/*
	 * One that was killed while it took over has left links that are not on duty: its own, or
	 * those of the one before, which it may not have asked for what they were kept from.
	 */
	if (!watch->resumed)
		meta->skipped = 0;
	else if (meta->generation > 2)
		meta->skipped += ew_bpf_pins_skipped(options->pins, meta->generation - 2);
	ew_bpf_pins_drop(options->pins, watch->resumed ? meta->generation - 1 : 0);
	emit_hook(sink, "pins", watch->pins, "", false);
}

/* The maps of an execwatch that knew others by these names cannot be used (libbpf: -EINVAL). */
static int load(struct ew_bpf *watch, const struct ew_bpf_options *options,
		const struct fact_sink *sink, struct error *error)
{
	int err = ew_bpf_load(watch, options, sink, error);

	if (err != -EINVAL || !watch->resumed)
		return err;
	ew_bpf_pins_drop(watch->pins, 0);
	watch->resumed = false;
	watch->meta.generation = 1;
	watch->meta.skipped = 0;
	return ew_bpf_load(watch, options, sink, error);
}

/*
 * Whatever cannot be kept for the next watch is no reason not to watch. It will not find a history
 * then, and not take over.
 */
static void history_open(struct ew_bpf *watch, const struct fact_sink *sink)
{
	struct error error = { 0 };
	char reason[EW_BPF_REASON_MAX] = "";

	if (!*watch->pins)
		return;
	if (ew_bpf_history_open(watch->pins, watch->batch, &watch->history, &error) < 0)
		return emit_hook(sink, "history", "", error_text(&error, reason, sizeof(reason)), false);
	watch->selftest.taken = ew_bpf_history_own(watch->history);
	watch->counted = ew_bpf_history_begin(watch->history).counted;
}

int ew_bpf_open(const struct ew_bpf_options *options, const struct fact_sink *sink,
		struct ew_bpf **ret, struct error *error)
{
	struct ew_bpf *watch = calloc(1, sizeof(*watch));
	int err = -ENOMEM;

	if (!watch)
		return error_set(error, -ENOMEM, NULL, "watch by BPF");
	libbpf_set_print(log_print);
	watch->ground.cgroup_fd = -1;
	watch->batch = event_batch_new();
	if (!watch->batch) {
		error_set(error, err, NULL, "watch by BPF");
		goto out;
	}
	err = ew_bpf_features_open(&watch->ground, error);
	if (err)
		goto out;
	pins_find(watch, options, sink);
	err = load(watch, options, sink, error);
	ew_bpf_features_chosen(&watch->ground);
	if (err)
		goto out;
	history_open(watch, sink);
	err = ew_bpf_rings_open(bpf_map__fd(watch->skel->maps.life_ring),
				bpf_map__fd(watch->skel->maps.message_ring), ring_record, watch,
				&watch->rings, error);
	if (err)
		goto out;
	err = selftest(watch, sink, error);
	if (err)
		goto out;
	watch->keep = options->keep;
	*ret = watch;
	watch = NULL;
out:
	if (watch && watch->resumed)
		watch->pins[0] = '\0'; /* what is left of the one before stays for the next */
	ew_bpf_free(watch);
	return err;
}

bool ew_bpf_resumed(const struct ew_bpf *watch)
{
	return watch->resumed;
}

bool ew_bpf_kept(const struct ew_bpf *watch)
{
	return watch->keep && *watch->pins;
}

void ew_bpf_free(struct ew_bpf *watch)
{
	if (!watch)
		return;
	if (*watch->pins && !watch->keep)
		ew_bpf_pins_unmount(watch->pins);
	ew_bpf_rings_close(watch->rings);
	ew_bpf_unload(watch);
	ew_bpf_features_close(&watch->ground);
	ew_bpf_history_close(watch->history);
	event_batch_free(watch->batch);
	free(watch);
}

int ew_bpf_fd(const struct ew_bpf *watch)
{
	return ew_bpf_rings_fd(watch->rings);
}

/*
 * Rings are read until they are empty: what a pass reads has happened after the pass before began,
 * and so after what had been counted then.
 */
void ew_bpf_ring_poll(struct ew_bpf *watch)
{
	struct ew_counters now = watch->counted;

	if (watch->history)
		ew_bpf_counters_sum(watch, &now);
	ew_bpf_rings_read(watch->rings);
	watch->counted = now;
	watch->gathered = now_mono();
}

void ew_bpf_poll_throttled(struct ew_bpf *watch)
{
	if (now_mono() - watch->gathered > RELIEVE && event_batch_size(watch->batch) < HELD_MAX)
		ew_bpf_ring_poll(watch);
}

void ew_bpf_flush_if_large(struct ew_bpf *watch, const struct fact_sink *sink)
{
	ew_bpf_poll_throttled(watch);
	if (event_batch_size(watch->batch) > HELD_LONG)
		event_batch_put(watch->batch, sink);
}

void ew_bpf_dispatch(struct ew_bpf *watch, const struct fact_sink *sink)
{
	ew_bpf_ring_poll(watch);
	/* What has been gathered meanwhile makes the rings readable no more. */
	for (int i = 0; i < DRAINS && event_batch_size(watch->batch); i++)
		event_batch_put(watch->batch, sink);
}

int ew_bpf_add_process(struct ew_bpf *watch, int32_t pid, uint64_t start, enum ew_bpf_role role,
		       struct error *error)
{
	int fd = bpf_map__fd(watch->skel->maps.procs);
	struct ew_proc proc = { 0 }, old;
	uint32_t tgid = (uint32_t)pid;
	uint32_t depth = role == EW_BPF_ROLE_AGENT ? watch->skel->rodata->agent_depth
						   : watch->skel->rodata->executor_depth;

	if (bpf_map_lookup_elem(fd, &tgid, &old) == 0 && old.start_ticks == start)
		proc = old;
	proc.start_ticks = start;
	proc.role |= role == EW_BPF_ROLE_AGENT ? EW_ROLE_AGENT : EW_ROLE_EXECUTOR;
	if (proc.depth < depth)
		proc.depth = depth;
	if (bpf_map_update_elem(fd, &tgid, &proc, BPF_ANY) < 0)
		return error_set(error, -errno, "watch fewer processes", "watch process %d", pid);
	return 0;
}

void ew_bpf_remove_process(struct ew_bpf *watch, int32_t pid)
{
	uint32_t tgid = (uint32_t)pid;

	bpf_map_delete_elem(bpf_map__fd(watch->skel->maps.procs), &tgid);
}
