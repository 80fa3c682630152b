/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/bpf_lib.h"
#include "facts.h"
#include "fail.h"
#include "observe/bpf_priv.h"
#include "observe/live.h"
#include "observe/put.h"

/* libbpf's print callback has no context: where it leads is the library's state, not ours. */
static void (*log_line)(const char *line);

static int log_print(enum libbpf_print_level level, const char *fmt, va_list args)
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

/* What was chosen for one slot, on the way. */
struct choice {
	const struct bpf_program *prog; /* NULL: none */
	size_t rung;
	char reason[BPF_REASON_MAX];    /* why none, or none better */
};

static struct bpf_program *slot_program(struct execwatch_bpf *skel, const struct bpf_slot *slot,
					size_t rung)
{
	if (rung >= BPF_LADDER_MAX || !slot->programs[rung])
		return NULL;
	return bpf_object__find_program_by_name(skel->obj, slot->programs[rung]);
}

/* The first program from rung on whose hook is there is to be loaded, the others are not. */
static void slot_choose(struct bpf_watch *watch, const struct bpf_slot *slot, struct choice *choice,
			bool forced)
{
	struct bpf_program *prog;

	for (size_t i = 0; (prog = slot_program(watch->skel, slot, i)); i++)
		bpf_program__set_autoload(prog, false);
	choice->prog = NULL;
	for (; (prog = slot_program(watch->skel, slot, choice->rung)); choice->rung++) {
		if (bpf_ground_has(&watch->ground, prog, choice->reason)) {
			bpf_program__set_autoload(prog, true);
			choice->prog = prog;
			return;
		}
		if (forced)
			return;
	}
}

static int maps_size(struct bpf_watch *watch, const struct bpf_watch_options *options)
{
	int err = 0;

	if (options->life_ring)
		err = bpf_map__set_max_entries(watch->skel->maps.life_ring, options->life_ring);
	if (!err && options->message_ring)
		err = bpf_map__set_max_entries(watch->skel->maps.message_ring,
					       options->message_ring);
	return err;
}

static void watch_unload(struct bpf_watch *watch)
{
	for (size_t i = 0; i < BPF_SLOTS_MAX; i++) {
		bpf_link__destroy(watch->links[i]);
		watch->links[i] = NULL;
	}
	execwatch_bpf__destroy(watch->skel);
	watch->skel = NULL;
}

static int slots_attach(struct bpf_watch *watch, struct choice *choices)
{
	for (size_t i = 0; i < bpf_slots_n; i++) {
		if (!bpf_slots[i].live || !choices[i].prog)
			continue;
		watch->links[i] = bpf_ground_attach(&watch->ground, choices[i].prog);
		if (!watch->links[i])
			return -errno;
	}
	return 0;
}

static int watch_load(struct bpf_watch *watch, const struct bpf_watch_options *options,
		      struct choice *choices)
{
	int err;

	watch->skel = execwatch_bpf__open();
	if (!watch->skel)
		return -errno;
	watch->skel->rodata->agent_port = options->agent_port;
	for (size_t i = 0; i < bpf_slots_n; i++)
		slot_choose(watch, &bpf_slots[i], &choices[i],
			    i == 0 && options->messages != BPF_MESSAGES_BEST);
	err = maps_size(watch, options);
	if (!err)
		err = execwatch_bpf__load(watch->skel);
	if (!err)
		err = slots_attach(watch, choices);
	if (err)
		watch_unload(watch);
	return err;
}

/*
 * Steps down the ladder of "messages" until loading and attaching succeed: a program may be refused
 * by lockdown (fentry), or only when attached (arm64 before 6.4), and one refusal fails the object.
 */
static int watch_climb(struct bpf_watch *watch, const struct bpf_watch_options *options,
		       struct choice *choices, struct fail *why)
{
	struct choice *messages = &choices[0];
	bool forced = options->messages != BPF_MESSAGES_BEST;
	int err;

	messages->rung = forced ? options->messages - BPF_MESSAGES_TP : 0;
	for (;;) {
		err = watch_load(watch, options, choices);
		if (!err && forced && !messages->prog && options->messages != BPF_MESSAGES_NONE) {
			watch_unload(watch);
			return fail_set(why, -ENOTSUP, NULL, "load the wanted program for messages: %s",
					messages->reason);
		}
		if (!err)
			return 0;
		bpf_why_load(err, why);
		if (forced || !messages->prog)
			return err;
		fail_text(why, messages->reason, sizeof(messages->reason));
		messages->rung++;
	}
}

static void slots_put(const struct choice *choices, const struct fact_sink *sink)
{
	for (size_t i = 0; i < bpf_slots_n; i++) {
		const struct bpf_program *prog = choices[i].prog;
		struct fact fact = { .type = FACT_SLOT,
				     .mono = put_clock() };

		fact.slot.slot = bpf_slots[i].name;
		fact.slot.program = prog ? bpf_program__section_name(prog) : "";
		fact.slot.reason = choices[i].reason;
		fact.slot.best_effort = prog && bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SKB;
		fact_put(sink, &fact);
	}
}

void bpf_watch_take(struct bpf_watch *watch, const void *record, size_t size)
{
	const struct ew_header *header = record;

	if (live_batch_add(watch->batch, record, size) < 0)
		watch->no_memory++;
	if (header->type == EW_EXIT) { /* read: the map may forget it */
		const struct ew_exit *ev = record;
		struct ew_exit_key key = { .tgid = ev->task.tgid,
					   .start_ticks = ev->task.start_ticks };

		bpf_map_delete_elem(bpf_map__fd(watch->skel->maps.exits), &key);
	}
}

/* Never negative: libbpf would stop, and drop the record all the same. */
static int ring_record(void *ctx, void *record, size_t size)
{
	bpf_watch_take(ctx, record, size);
	return 0;
}

static int rings_open(struct bpf_watch *watch, struct fail *why)
{
	int life = bpf_map__fd(watch->skel->maps.life_ring);
	int messages = bpf_map__fd(watch->skel->maps.message_ring);
	int err;

	watch->rings = ring_buffer__new(life, ring_record, watch, NULL);
	if (!watch->rings)
		return fail_set(why, -errno, NULL, "map the ring of life-cycle events");
	err = ring_buffer__add(watch->rings, messages, ring_record, watch);
	if (err < 0)
		return fail_set(why, err, NULL, "map the ring of messages");
	return 0;
}

int bpf_watch_open(const struct bpf_watch_options *options, const struct fact_sink *sink,
		   struct bpf_watch **ret, struct fail *why)
{
	struct choice choices[BPF_SLOTS_MAX] = { 0 };
	struct bpf_watch *watch = calloc(1, sizeof(*watch));
	int err = -ENOMEM;

	if (!watch)
		return fail_set(why, -ENOMEM, NULL, "watch by BPF");
	libbpf_set_print(log_print);
	watch->ground.cgroup_fd = -1;
	watch->batch = live_batch_new();
	if (!watch->batch) {
		fail_set(why, err, NULL, "watch by BPF");
		goto out;
	}
	err = bpf_ground_open(&watch->ground, why);
	if (err)
		goto out;
	err = watch_climb(watch, options, choices, why);
	if (err)
		goto out;
	err = rings_open(watch, why);
	if (err)
		goto out;
	slots_put(choices, sink);
	*ret = watch;
	watch = NULL;
out:
	bpf_watch_free(watch);
	return err;
}

void bpf_watch_free(struct bpf_watch *watch)
{
	if (!watch)
		return;
	ring_buffer__free(watch->rings);
	watch_unload(watch);
	bpf_ground_close(&watch->ground);
	live_batch_free(watch->batch);
	free(watch);
}

int bpf_watch_fd(const struct bpf_watch *watch)
{
	return ring_buffer__epoll_fd(watch->rings);
}

void bpf_watch_gather(struct bpf_watch *watch)
{
	ring_buffer__consume(watch->rings);
}

void bpf_watch_drain(struct bpf_watch *watch, const struct fact_sink *sink)
{
	bpf_watch_gather(watch);
	live_batch_put(watch->batch, sink);
}

int bpf_watch_add_process(struct bpf_watch *watch, int32_t pid, uint64_t start, enum bpf_role role,
			  struct fail *why)
{
	int fd = bpf_map__fd(watch->skel->maps.procs);
	struct ew_proc proc = { 0 }, old;
	uint32_t tgid = (uint32_t)pid;
	uint32_t depth = role == BPF_ROLE_AGENT ? watch->skel->rodata->agent_depth :
						  watch->skel->rodata->executor_depth;

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
