/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/programs.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/error.h"
#include "events.h"
#include "observe/bpf/bpf_features.h"
#include "observe/bpf/bpf_options.h"
#include "observe/bpf/counters.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/load_error.h"
#include "observe/bpf/pins.h"

/* One attempt to load, with what it needs. */
struct loading {
	struct ew_bpf_programs *programs;
	const struct ew_bpf_features *features;
	const struct ew_bpf_options *options;
	const char *pins; /* NULL: none */
	struct ew_meta *meta;
	struct choice {
		const struct bpf_program *prog; /* NULL: none */
		size_t variant;
		char reason[EW_BPF_REASON_MAX]; /* why none, or none better */
	} choices[EW_BPF_HOOKS_MAX];
};

static bool messages_forced(const struct loading *loading)
{
	return loading->options->messages != EW_BPF_MESSAGES_BEST;
}

/* Selects for loading the first variant, from choice->variant on, whose hook the kernel has. */
static void variant_choose(struct loading *loading, const struct ew_bpf_hook *hook,
			   struct choice *choice, bool only_this)
{
	const struct execwatch_bpf *skel = loading->programs->skel;
	struct bpf_program *prog;

	for (size_t i = 0; (prog = ew_bpf_hook_program(hook, skel, i)); i++)
		bpf_program__set_autoload(prog, false);
	choice->prog = NULL;
	if (!ew_bpf_hook_is_needed(hook, loading->features))
		return;
	for (; (prog = ew_bpf_hook_program(hook, skel, choice->variant)); choice->variant++) {
		if (ew_bpf_features_has_hook(loading->features, prog, choice->reason)) {
			bpf_program__set_autoload(prog, true);
			choice->prog = prog;
			return;
		}
		if (only_this)
			return;
	}
}

static void more_ports_set(struct execwatch_bpf *skel, const struct ew_meta *meta)
{
	memcpy(skel->bss->more_ports, meta->ports + 1, sizeof(skel->bss->more_ports));
}

static int skel_prepare(struct loading *loading)
{
	struct ew_bpf_programs *programs = loading->programs;
	const struct ew_meta *meta = loading->meta;
	int err;

	programs->skel = execwatch_bpf__open();
	if (!programs->skel)
		return -errno;
	programs->skel->rodata->agent_port = meta->ports[0];
	more_ports_set(programs->skel, meta);
	programs->skel->rodata->generation = meta->generation;
	programs->skel->rodata->own_tgid = (__u32)getpid();
	programs->skel->bss->scan_number = meta->generation << 16; /* unlike any before */
	ew_bpf_features_to_rodata(loading->features, programs->skel);
	for (size_t i = 0; i < ew_bpf_hooks_n; i++)
		variant_choose(loading, &ew_bpf_hooks[i], &loading->choices[i],
			       i == 0 && messages_forced(loading));
	err = bpf_map__set_max_entries(programs->skel->maps.life_ring, meta->life_ring);
	if (!err)
		err = bpf_map__set_max_entries(programs->skel->maps.message_ring,
					       meta->message_ring);
	if (!err && loading->pins)
		err = ew_bpf_pins_maps(loading->pins, programs->skel->obj);
	return err;
}

static int programs_attach(struct loading *loading)
{
	struct ew_bpf_programs *programs = loading->programs;

	for (size_t i = 0; i < ew_bpf_hooks_n; i++) {
		const struct bpf_program *prog = loading->choices[i].prog;

		if (!ew_bpf_hooks[i].attached || !prog)
			continue;
		programs->progs[i] = prog;
		programs->links[i] = ew_bpf_features_attach(loading->features, prog);
		if (!programs->links[i])
			return -errno;
	}
	return 0;
}

static int programs_pin(const struct loading *loading)
{
	const struct ew_bpf_programs *programs = loading->programs;
	int err = 0;

	for (size_t i = 0; !err && i < ew_bpf_hooks_n; i++)
		if (programs->links[i])
			err = ew_bpf_pins_hook(loading->pins, loading->meta->generation, i,
					       programs->progs[i], programs->links[i]);
	return err;
}

static int meta_write(const struct ew_bpf_programs *programs, const struct ew_meta *meta)
{
	__u32 zero = 0;

	return bpf_map_update_elem(bpf_map__fd(programs->skel->maps.meta), &zero, meta, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

/* From here on these programs act, and those of the generation before no longer do. */
static int programs_activate(const struct loading *loading)
{
	struct ew_meta *meta = loading->meta;
	int err = meta_write(loading->programs, meta);

	if (err || !loading->pins)
		return err;
	meta->misses += ew_bpf_pins_misses(loading->pins, meta->generation - 1);
	err = meta_write(loading->programs, meta);
	if (!err)
		ew_bpf_pins_remove_others(loading->pins, meta->generation);
	return err;
}

static int load_chosen(struct loading *loading)
{
	int err = skel_prepare(loading);

	if (!err)
		err = execwatch_bpf__load(loading->programs->skel);
	if (!err)
		err = programs_attach(loading);
	if (!err && loading->pins)
		err = programs_pin(loading);
	if (!err)
		err = programs_activate(loading);
	if (err) {
		if (loading->pins)
			ew_bpf_pins_remove(loading->pins, loading->meta->generation);
		ew_bpf_programs_unload(loading->programs);
	}
	return err;
}

/* Was a variant of "messages" asked for by name that this kernel does not have? */
static bool forced_is_missing(const struct loading *loading)
{
	return messages_forced(loading) && !loading->choices[0].prog &&
	       loading->options->messages != EW_BPF_MESSAGES_NONE;
}

/*
 * Tries the variants of "messages" until loading and attaching succeed: lockdown may refuse a
 * program (fentry), or attaching it fails (arm64 before 6.4), and one failure fails the object.
 */
static int load_with_fallback(struct loading *loading, struct error *error)
{
	struct choice *messages = &loading->choices[0];
	int err;

	if (messages_forced(loading))
		messages->variant = loading->options->messages - EW_BPF_MESSAGES_TP;
	while ((err = load_chosen(loading))) {
		ew_bpf_load_error(err, error);
		if (messages_forced(loading) || !messages->prog)
			return err;
		error_text(error, messages->reason, sizeof(messages->reason));
		messages->variant++;
	}
	if (!forced_is_missing(loading))
		return 0;
	ew_bpf_programs_unload(loading->programs);
	return error_set(error, -ENOTSUP, NULL, "load the wanted program for messages: %s",
			 messages->reason);
}

static void hooks_emit(const struct loading *loading, const struct fact_sink *sink)
{
	for (size_t i = 0; i < ew_bpf_hooks_n; i++) {
		const struct choice *choice = &loading->choices[i];
		const struct bpf_program *prog = choice->prog;

		if (ew_bpf_hook_is_needed(&ew_bpf_hooks[i], loading->features))
			emit_hook(sink, ew_bpf_hooks[i].name,
				  prog ? bpf_program__section_name(prog) : "", choice->reason,
				  prog && bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SKB);
	}
}

int ew_bpf_programs_load(struct ew_bpf_programs *programs, const struct ew_bpf_features *features,
			 const struct ew_bpf_options *options, const char *pins,
			 struct ew_meta *meta, const struct fact_sink *sink, struct error *error)
{
	struct loading loading = { .programs = programs,
				   .features = features,
				   .options = options,
				   .pins = pins,
				   .meta = meta };
	struct error unasked; /* its text is needed for the reason of a hook */
	int err = load_with_fallback(&loading, error ? error : &unasked);

	if (!err)
		hooks_emit(&loading, sink);
	return err;
}

void ew_bpf_programs_unload(struct ew_bpf_programs *programs)
{
	for (size_t i = 0; i < EW_BPF_HOOKS_MAX; i++)
		bpf_link__destroy(programs->links[i]);
	execwatch_bpf__destroy(programs->skel);
	*programs = (struct ew_bpf_programs){ 0 };
}

int ew_bpf_programs_set_ports(const struct ew_bpf_programs *programs, const struct ew_meta *meta)
{
	more_ports_set(programs->skel, meta);
	return meta_write(programs, meta);
}

struct ew_bpf_misses ew_bpf_programs_misses(const struct ew_bpf_programs *programs)
{
	struct ew_bpf_misses sum = { 0 };

	for (size_t i = 0; i < ew_bpf_hooks_n; i++) {
		const struct bpf_program *prog = programs->progs[i];
		uint64_t misses = prog ? ew_bpf_misses(bpf_program__fd(prog)) : 0;

		if (ew_bpf_hooks[i].miss == EW_BPF_MISS_LOSES)
			sum.lost += misses;
		else if (ew_bpf_hooks[i].miss == EW_BPF_MISS_HEALS)
			sum.healed += misses;
	}
	return sum;
}
