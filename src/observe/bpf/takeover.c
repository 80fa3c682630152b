/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/takeover.h"

#include <stddef.h>
#include <string.h>

#include "base/emit.h"
#include "base/error.h"
#include "observe/bpf/bpf_features.h"
#include "observe/bpf/bpf_options.h"
#include "observe/bpf/history.h"
#include "observe/bpf/pins.h"

static struct ew_meta meta_wanted(const struct ew_bpf_options *options)
{
	return (struct ew_meta){
		.abi = EW_ABI,
		.ports = { options->agent_port },
		.life_ring = options->life_ring ? options->life_ring : EW_LIFE_RING,
		.message_ring = options->message_ring ? options->message_ring : EW_MESSAGE_RING,
		.generation = 1,
	};
}

/* Maps without a history cannot tell what an earlier execwatch has read. */
static bool meta_find(const char *pins, struct ew_meta *found)
{
	return ew_bpf_history_exists(pins) && ew_bpf_pins_meta(pins, found);
}

static bool is_compatible(const struct ew_meta *found, const struct ew_meta *wanted)
{
	return found->abi == wanted->abi && found->ports[0] == wanted->ports[0] &&
	       found->life_ring == wanted->life_ring && found->message_ring == wanted->message_ring;
}

/*
 * An execwatch that was killed during its own takeover has left inactive links: either its own, or
 * those of its predecessor, whose misses it may not have added yet.
 */
static void resume(struct ew_bpf_takeover *takeover, const struct ew_meta *found)
{
	struct ew_meta *meta = &takeover->meta;

	takeover->resumed = true;
	memcpy(meta->ports, found->ports, sizeof(meta->ports));
	meta->generation = found->generation + 1;
	meta->misses = found->misses;
	if (found->generation > 1)
		meta->misses += ew_bpf_pins_misses(takeover->pins, found->generation - 1);
	ew_bpf_pins_remove_others(takeover->pins, found->generation);
}

void ew_bpf_takeover_find(struct ew_bpf_takeover *takeover, const struct ew_bpf_options *options,
			  const struct fact_sink *sink)
{
	char reason[EW_BPF_REASON_MAX] = "";
	struct error error = { 0 };
	struct ew_meta found;

	*takeover = (struct ew_bpf_takeover){ .meta = meta_wanted(options) };
	if (!options->pins)
		return;
	if (ew_bpf_pins_mount(options->pins, &error) < 0) {
		error_text(&error, reason, sizeof(reason));
		emit_hook(sink, "pins", "", reason, false);
		return;
	}
	takeover->pins = options->pins;
	if (meta_find(options->pins, &found) && is_compatible(&found, &takeover->meta))
		resume(takeover, &found);
	else
		ew_bpf_pins_remove_all(options->pins);
	emit_hook(sink, "pins", options->pins_name ? options->pins_name : options->pins, "", false);
}

void ew_bpf_takeover_give_up(struct ew_bpf_takeover *takeover)
{
	ew_bpf_pins_remove_all(takeover->pins);
	takeover->resumed = false;
	takeover->meta.generation = 1;
	takeover->meta.misses = 0;
}
