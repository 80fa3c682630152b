/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/now.h"
#include "observe/bpf_history.h"
#include "observe/bpf_lib.h"
#include "facts.h"
#include "fail.h"
#include "observe/bpf_pins.h"
#include "observe/bpf_priv.h"
#include "observe/bpf_ring.h"
#include "observe/bpf_selftest.h"
#include "observe/live.h"

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

void bpf_log_to(void (*log)(const char *line))
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

void bpf_watch_take(struct bpf_watch *watch, const void *record, size_t size)
{
	if (live_batch_add(watch->batch, record, size) < 0)
		watch->no_memory++;
}

/* Read: the map may forget it. */
static void exit_forget(struct bpf_watch *watch, const struct ew_exit *ev)
{
	struct ew_exit_key key = { .tgid = ev->task.tgid, .start_ticks = ev->task.start_ticks };

	bpf_map_delete_elem(bpf_map__fd(watch->skel->maps.exits), &key);
}

void bpf_watch_take_event(struct bpf_watch *watch, const void *record, size_t size)
{
	const struct ew_header *header = record;

	if (bpf_selftest_takes(&watch->selftest, header)) {
		if (watch->history)
			bpf_history_own_note(watch->history, watch->selftest.taken);
	} else if (!watch->history || bpf_history_keep(watch->history, header, &watch->counted)) {
		bpf_watch_take(watch, record, size);
	}
	if (header->type == EW_EXIT)
		exit_forget(watch, record);
}

static void ring_record(void *ctx, const void *record, size_t size)
{
	bpf_watch_take_event(ctx, record, size);
}

static int ring_open(struct bpf_watch *watch, const struct bpf_map *map, size_t size,
		     struct bpf_ring **ret, struct fail *why)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = bpf_map__fd(map), err = bpf_ring_open(fd, size, ret);

	if (!err && epoll_ctl(watch->readable, EPOLL_CTL_ADD, fd, &event) < 0)
		err = -errno;
	return err ? fail_set(why, err, NULL, "read the ring '%s'", bpf_map__name(map)) : 0;
}

static int rings_open(struct bpf_watch *watch, struct fail *why)
{
	int err;

	watch->readable = epoll_create1(EPOLL_CLOEXEC);
	if (watch->readable < 0)
		return fail_set(why, -errno, NULL, "wait for events");
	err = ring_open(watch, watch->skel->maps.life_ring, watch->meta.life_ring, &watch->life,
			why);
	if (err)
		return err;
	return ring_open(watch, watch->skel->maps.message_ring, watch->meta.message_ring,
			 &watch->messages, why);
}

static void slot_put(const char *slot, const char *program, const char *reason,
		     const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_SLOT, .mono = now_mono() };

	fact.slot.slot = slot;
	fact.slot.program = program;
	fact.slot.reason = reason;
	fact_put(sink, &fact);
}

/* Loaded and attached is not yet seeing. */
static int selftest(struct bpf_watch *watch, const struct fact_sink *sink, struct fail *why)
{
	char reason[BPF_REASON_MAX] = "";
	struct fail failed = { 0 };
	int err = bpf_selftest(watch, &failed);

	if (err)
		fail_text(&failed, reason, sizeof(reason));
	slot_put("self-test", "fork and exit", reason, sink);
	if (err && why)
		*why = failed;
	return err;
}

/*
 * What these programs' maps are to hold, and whether an earlier execwatch has left such maps. Those
 * of another layout are removed: there is nothing to be had from them. Without pins it works too.
 */
static void pins_find(struct bpf_watch *watch, const struct bpf_watch_options *options,
		      const struct fact_sink *sink)
{
	struct ew_meta *meta = &watch->meta, found = { 0 };
	struct fail why = { 0 };
	char reason[BPF_REASON_MAX] = "";

	meta->abi = EW_ABI;
	meta->agent_port = options->agent_port;
	meta->life_ring = options->life_ring ? options->life_ring : EW_LIFE_RING;
	meta->message_ring = options->message_ring ? options->message_ring : EW_MESSAGE_RING;
	meta->generation = 1;
	if (!options->pins)
		return;
	snprintf(watch->pins, sizeof(watch->pins), "%s", options->pins);
	if (bpf_pins_mount(options->pins, &why) < 0) {
		watch->pins[0] = '\0';
		return slot_put("pins", "", fail_text(&why, reason, sizeof(reason)), sink);
	}
	if (bpf_history_is_in(options->pins) && bpf_pins_meta(options->pins, &found)) {
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
		meta->skipped += bpf_pins_skipped(options->pins, meta->generation - 2);
	bpf_pins_drop(options->pins, watch->resumed ? meta->generation - 1 : 0);
	slot_put("pins", watch->pins, "", sink);
}

/* The maps of an execwatch that knew others by these names cannot be used (libbpf: -EINVAL). */
static int load(struct bpf_watch *watch, const struct bpf_watch_options *options,
		const struct fact_sink *sink, struct fail *why)
{
	int err = bpf_load(watch, options, sink, why);

	if (err != -EINVAL || !watch->resumed)
		return err;
	bpf_pins_drop(watch->pins, 0);
	watch->resumed = false;
	watch->meta.generation = 1;
	watch->meta.skipped = 0;
	return bpf_load(watch, options, sink, why);
}

/*
 * Whatever cannot be kept for the next watch is no reason not to watch. It will not find a history
 * then, and not take over.
 */
static void history_open(struct bpf_watch *watch, const struct fact_sink *sink)
{
	struct fail why = { 0 };
	char reason[BPF_REASON_MAX] = "";

	if (!*watch->pins)
		return;
	if (bpf_history_open(watch->pins, watch->batch, &watch->history, &why) < 0)
		return slot_put("history", "", fail_text(&why, reason, sizeof(reason)), sink);
	watch->selftest.taken = bpf_history_own(watch->history);
	watch->counted = bpf_history_begin(watch->history).counted;
}

int bpf_watch_open(const struct bpf_watch_options *options, const struct fact_sink *sink,
		   struct bpf_watch **ret, struct fail *why)
{
	struct bpf_watch *watch = calloc(1, sizeof(*watch));
	int err = -ENOMEM;

	if (!watch)
		return fail_set(why, -ENOMEM, NULL, "watch by BPF");
	libbpf_set_print(log_print);
	watch->ground.cgroup_fd = -1;
	watch->readable = -1;
	watch->batch = live_batch_new();
	if (!watch->batch) {
		fail_set(why, err, NULL, "watch by BPF");
		goto out;
	}
	err = bpf_ground_open(&watch->ground, why);
	if (err)
		goto out;
	pins_find(watch, options, sink);
	err = load(watch, options, sink, why);
	bpf_ground_chosen(&watch->ground);
	if (err)
		goto out;
	history_open(watch, sink);
	err = rings_open(watch, why);
	if (err)
		goto out;
	err = selftest(watch, sink, why);
	if (err)
		goto out;
	watch->keep = options->keep;
	*ret = watch;
	watch = NULL;
out:
	if (watch && watch->resumed)
		watch->pins[0] = '\0'; /* what is left of the one before stays for the next */
	bpf_watch_free(watch);
	return err;
}

bool bpf_watch_resumed(const struct bpf_watch *watch)
{
	return watch->resumed;
}

bool bpf_watch_kept(const struct bpf_watch *watch)
{
	return watch->keep && *watch->pins;
}

void bpf_watch_free(struct bpf_watch *watch)
{
	if (!watch)
		return;
	if (*watch->pins && !watch->keep)
		bpf_pins_unmount(watch->pins);
	bpf_ring_close(watch->life);
	bpf_ring_close(watch->messages);
	if (watch->readable >= 0)
		close(watch->readable);
	bpf_unload(watch);
	bpf_ground_close(&watch->ground);
	bpf_history_close(watch->history);
	live_batch_free(watch->batch);
	free(watch);
}

int bpf_watch_fd(const struct bpf_watch *watch)
{
	return watch->readable;
}

/*
 * Rings are read until they are empty: what a pass reads has happened after the pass before began,
 * and so after what had been counted then.
 */
void bpf_watch_gather(struct bpf_watch *watch)
{
	struct ew_counters now = watch->counted;

	if (watch->history)
		bpf_counters_sum(watch, &now);
	bpf_ring_read(watch->life, ring_record, watch);
	bpf_ring_read(watch->messages, ring_record, watch);
	watch->counted = now;
	watch->gathered = now_mono();
}

void bpf_watch_relieve(struct bpf_watch *watch)
{
	if (now_mono() - watch->gathered > RELIEVE && live_batch_size(watch->batch) < HELD_MAX)
		bpf_watch_gather(watch);
}

void bpf_watch_pause(struct bpf_watch *watch, const struct fact_sink *sink)
{
	bpf_watch_relieve(watch);
	if (live_batch_size(watch->batch) > HELD_LONG)
		live_batch_put(watch->batch, sink);
}

void bpf_watch_drain(struct bpf_watch *watch, const struct fact_sink *sink)
{
	bpf_watch_gather(watch);
	/* What has been gathered meanwhile makes the rings readable no more. */
	for (int i = 0; i < DRAINS && live_batch_size(watch->batch); i++)
		live_batch_put(watch->batch, sink);
}

int bpf_watch_add_process(struct bpf_watch *watch, int32_t pid, uint64_t start, enum bpf_role role,
			  struct fail *why)
{
	int fd = bpf_map__fd(watch->skel->maps.procs);
	struct ew_proc proc = { 0 }, old;
	uint32_t tgid = (uint32_t)pid;
	uint32_t depth = role == BPF_ROLE_AGENT ? watch->skel->rodata->agent_depth
						: watch->skel->rodata->executor_depth;

	if (bpf_map_lookup_elem(fd, &tgid, &old) == 0 && old.start_ticks == start)
		proc = old;
	proc.start_ticks = start;
	proc.role |= role == BPF_ROLE_AGENT ? EW_ROLE_AGENT : EW_ROLE_EXECUTOR;
	if (proc.depth < depth)
		proc.depth = depth;
	if (bpf_map_update_elem(fd, &tgid, &proc, BPF_ANY) < 0)
		return fail_set(why, -errno, "watch fewer processes", "watch process %d", pid);
	return 0;
}

void bpf_watch_remove_process(struct bpf_watch *watch, int32_t pid)
{
	uint32_t tgid = (uint32_t)pid;

	bpf_map_delete_elem(bpf_map__fd(watch->skel->maps.procs), &tgid);
}
