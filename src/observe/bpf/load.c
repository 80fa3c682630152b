/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the object to running programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "observe/bpf/libbpf.h"
#include "facts.h"
#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/pins.h"
#include "observe/bpf/observer_priv.h"

/* What was chosen for one slot, on the way. */
struct choice {
	const struct bpf_program *prog; /* NULL: none */
	size_t rung;
	char reason[EW_BPF_REASON_MAX]; /* why none, or none better */
};

static struct bpf_program *slot_program(struct execwatch_bpf *skel, const struct ew_bpf_hook *slot,
					size_t rung)
{
	if (rung >= EW_BPF_VARIANTS_MAX || !slot->programs[rung])
		return NULL;
	return bpf_object__find_program_by_name(skel->obj, slot->programs[rung]);
}

/* The first program from rung on whose hook is there is to be loaded, the others are not. */
static void slot_choose(struct ew_bpf *watch, const struct ew_bpf_hook *slot, struct choice *choice,
			bool forced)
{
	struct bpf_program *prog;

	for (size_t i = 0; (prog = slot_program(watch->skel, slot, i)); i++)
		bpf_program__set_autoload(prog, false);
	choice->prog = NULL;
	if (!ew_bpf_features_wants(&watch->ground, slot))
		return;
	for (; (prog = slot_program(watch->skel, slot, choice->rung)); choice->rung++) {
		if (ew_bpf_features_has(&watch->ground, prog, choice->reason)) {
			bpf_program__set_autoload(prog, true);
			choice->prog = prog;
			return;
		}
		if (forced)
			return;
	}
}

static int maps_prepare(struct ew_bpf *watch)
{
	int err = bpf_map__set_max_entries(watch->skel->maps.life_ring, watch->meta.life_ring);

	if (!err)
		err = bpf_map__set_max_entries(watch->skel->maps.message_ring,
					       watch->meta.message_ring);
	if (!err && *watch->pins)
		err = ew_bpf_pins_maps(watch);
	return err;
}

void ew_bpf_unload(struct ew_bpf *watch)
{
	for (size_t i = 0; i < EW_BPF_HOOKS_MAX; i++) {
		bpf_link__destroy(watch->links[i]);
		watch->links[i] = NULL;
		watch->progs[i] = NULL;
	}
	execwatch_bpf__destroy(watch->skel);
	watch->skel = NULL;
}

static int slots_attach(struct ew_bpf *watch, struct choice *choices)
{
	for (size_t i = 0; i < bpf_slots_n; i++) {
		if (!bpf_slots[i].live || !choices[i].prog)
			continue;
		watch->progs[i] = choices[i].prog;
		watch->links[i] = ew_bpf_features_attach(&watch->ground, choices[i].prog);
		if (!watch->links[i])
			return -errno;
	}
	return 0;
}

static int meta_write(const struct ew_bpf *watch)
{
	__u32 zero = 0;

	return bpf_map_update_elem(bpf_map__fd(watch->skel->maps.meta), &zero, &watch->meta,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

/* From here on these programs act, and those before them no longer do. */
static int activate(struct ew_bpf *watch)
{
	int err = meta_write(watch);

	if (err || !*watch->pins)
		return err;
	watch->meta.skipped += ew_bpf_pins_skipped(watch->pins, watch->meta.generation - 1);
	err = meta_write(watch);
	if (!err)
		ew_bpf_pins_drop(watch->pins, watch->meta.generation);
	return err;
}

static int load_variant(struct ew_bpf *watch, const struct ew_bpf_options *options,
			struct choice *choices)
{
	int err;

	watch->skel = execwatch_bpf__open();
	if (!watch->skel)
		return -errno;
	watch->skel->rodata->agent_port = options->agent_port;
	ew_bpf_features_tell(&watch->ground, watch->skel);
	watch->skel->rodata->generation = watch->meta.generation;
	watch->skel->rodata->own_tgid = (__u32)getpid();
	watch->skel->bss->seed_pass = watch->meta.generation << 16; /* unlike any before */
	for (size_t i = 0; i < bpf_slots_n; i++)
		slot_choose(watch, &bpf_slots[i], &choices[i],
			    i == 0 && options->messages != EW_BPF_MESSAGES_BEST);
	err = maps_prepare(watch);
	if (!err)
		err = execwatch_bpf__load(watch->skel);
	if (!err)
		err = slots_attach(watch, choices);
	if (!err && *watch->pins)
		err = ew_bpf_pins_links(watch);
	if (!err)
		err = activate(watch);
	if (err) {
		ew_bpf_pins_unlink(watch);
		ew_bpf_unload(watch);
	}
	return err;
}

/*
 * Steps down the ladder of "messages" until loading and attaching succeed: a program may be refused
 * by lockdown (fentry), or only when attached (arm64 before 6.4), and one refusal fails the object.
 */
static int load_with_fallback(struct ew_bpf *watch, const struct ew_bpf_options *options,
			      struct choice *choices, struct error *error)
{
	struct choice *messages = &choices[0];
	bool forced = options->messages != EW_BPF_MESSAGES_BEST;
	struct error unasked;
	int err;

	error = error ? error : &unasked; /* its text is the reason of the rung */
	messages->rung = forced ? options->messages - EW_BPF_MESSAGES_TP : 0;
	for (;;) {
		err = load_variant(watch, options, choices);
		if (!err && forced && !messages->prog &&
		    options->messages != EW_BPF_MESSAGES_NONE) {
			ew_bpf_unload(watch);
			return error_set(error, -ENOTSUP, NULL,
					 "load the wanted program for messages: %s",
					 messages->reason);
		}
		if (!err)
			return 0;
		ew_bpf_load_error(err, error);
		if (forced || !messages->prog)
			return err;
		error_text(error, messages->reason, sizeof(messages->reason));
		messages->rung++;
	}
}

static void hooks_emit(const struct ew_bpf_features *ground, const struct choice *choices,
		       const struct fact_sink *sink)
{
	for (size_t i = 0; i < bpf_slots_n; i++) {
		const struct bpf_program *prog = choices[i].prog;
		struct fact fact = { .type = FACT_HOOK, .mono = now_mono() };

		if (!ew_bpf_features_wants(ground, &bpf_slots[i]))
			continue;
		fact.hook.hook = bpf_slots[i].name;
		fact.hook.program = prog ? bpf_program__section_name(prog) : "";
		fact.hook.reason = choices[i].reason;
		fact.hook.best_effort = prog && bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SKB;
		fact_emit(sink, &fact);
	}
}

int ew_bpf_load(struct ew_bpf *watch, const struct ew_bpf_options *options,
		const struct fact_sink *sink, struct error *error)
{
	struct choice choices[EW_BPF_HOOKS_MAX] = { 0 };
	int err = load_with_fallback(watch, options, choices, error);

	if (!err)
		hooks_emit(&watch->ground, choices, sink);
	return err;
}
