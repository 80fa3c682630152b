/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/observer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_ports.h"
#include "base/emit.h"
#include "base/error.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/iter.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/libbpf_log.h"
#include "observe/bpf/observer_internal.h"
#include "observe/bpf/pins.h"
#include "observe/bpf/procs_map.h"
#include "observe/bpf/records.h"
#include "observe/bpf/rings.h"
#include "observe/bpf/selftest.h"
#include "observe/bpf/takeover.h"

/* At most this many flushes in a row, so that the event loop is not starved. */
#define FLUSHES_MAX 8
/* Emitted as soon as possible, not only after the caller's other work. */
#define BATCH_LARGE (1u << 20)

_Static_assert(AGENT_PORTS_MAX == EW_PORTS_MAX, "the programs have room for all ports");

/* Pinned maps of other types or sizes under the same names cannot be used (libbpf: -EINVAL). */
static int programs_load(struct ew_bpf *observer, const struct ew_bpf_options *options,
			 const struct fact_sink *sink, struct error *error)
{
	struct ew_bpf_takeover takeover;
	int err;

	ew_bpf_takeover_find(&takeover, options, sink);
	err = ew_bpf_programs_load(&observer->programs, &observer->features, options, takeover.pins,
				   &takeover.meta, sink, error);
	if (err == -EINVAL && takeover.resumed) {
		ew_bpf_takeover_give_up(&takeover);
		err = ew_bpf_programs_load(&observer->programs, &observer->features, options,
					   takeover.pins, &takeover.meta, sink, error);
	}
	if (takeover.pins)
		snprintf(observer->pins, sizeof(observer->pins), "%s", takeover.pins);
	observer->resumed = takeover.resumed;
	observer->meta = takeover.meta;
	return err;
}

/* Without a history the next execwatch will not resume; this one observes all the same. */
static void history_open(struct ew_bpf *observer, const struct fact_sink *sink)
{
	char reason[EW_BPF_REASON_MAX] = "";
	struct error error = { 0 };

	if (!*observer->pins ||
	    ew_bpf_records_keep_history(observer->records, observer->pins, &error) == 0)
		return;
	error_text(&error, reason, sizeof(reason));
	emit_hook(sink, "history", "", reason, false);
}

static int iter_open(struct ew_bpf *observer, struct error *error)
{
	struct execwatch_bpf *skel = observer->programs.skel;

	observer->iter = ew_iter_new(bpf_program__fd(skel->progs.scan_row), &skel->bss->scan_tgid,
				     skel->rodata->agent_port);
	return observer->iter ? 0 : error_set(error, -ENOMEM, NULL, "observe by BPF");
}

static int records_open(struct ew_bpf *observer, const struct fact_sink *sink, struct error *error)
{
	observer->records = ew_bpf_records_new(observer->programs.skel);
	if (!observer->records)
		return error_set(error, -ENOMEM, NULL, "observe by BPF");
	history_open(observer, sink);
	return ew_bpf_rings_open(observer->programs.skel, observer->records, &observer->rings,
				 error);
}

/* A program that is loaded and attached need not see anything. */
static int selftest(struct ew_bpf *observer, const struct fact_sink *sink, struct error *error)
{
	char reason[EW_BPF_REASON_MAX] = "";
	struct error failed = { 0 };
	int err = ew_bpf_selftest(bpf_map__fd(observer->programs.skel->maps.procs), observer->rings,
				  observer->records, &failed);

	if (err)
		error_text(&failed, reason, sizeof(reason));
	emit_hook(sink, "self-test", "fork and exit", reason, false);
	if (err && error)
		*error = failed;
	return err;
}

static int parts_open(struct ew_bpf *observer, const struct ew_bpf_options *options,
		      const struct fact_sink *sink, struct error *error)
{
	int err = ew_bpf_features_open(&observer->features, error);

	if (err)
		return err;
	err = programs_load(observer, options, sink, error);
	ew_bpf_features_free_btf(&observer->features);
	if (!err)
		err = records_open(observer, sink, error);
	if (!err)
		err = iter_open(observer, error);
	if (!err)
		err = selftest(observer, sink, error);
	return err;
}

int ew_bpf_open(const struct ew_bpf_options *options, const struct fact_sink *sink,
		struct ew_bpf **ret, struct error *error)
{
	struct ew_bpf *observer = calloc(1, sizeof(*observer));
	int err;

	if (!observer)
		return error_set(error, -ENOMEM, NULL, "observe by BPF");
	ew_libbpf_log_default();
	observer->features = (struct ew_bpf_features)EW_BPF_FEATURES_NONE;
	err = parts_open(observer, options, sink, error);
	if (err) {
		if (observer->resumed)
			observer->pins[0] = '\0'; /* what is left there stays for the next */
		ew_bpf_free(observer);
		return err;
	}
	observer->keep = options->keep;
	*ret = observer;
	return 0;
}

bool ew_bpf_resumed(const struct ew_bpf *observer)
{
	return observer->resumed;
}

bool ew_bpf_kept(const struct ew_bpf *observer)
{
	return observer->keep && *observer->pins;
}

void ew_bpf_ports(const struct ew_bpf *observer, struct agent_ports *ports)
{
	memcpy(ports->v, observer->meta.ports, sizeof(ports->v));
}

int ew_bpf_set_ports(struct ew_bpf *observer, const struct agent_ports *ports)
{
	struct ew_meta *meta = &observer->meta;

	memcpy(meta->ports + 1, ports->v + 1, sizeof(meta->ports) - sizeof(meta->ports[0]));
	return ew_bpf_programs_set_ports(&observer->programs, meta);
}

void ew_bpf_free(struct ew_bpf *observer)
{
	if (!observer)
		return;
	if (*observer->pins && !observer->keep)
		ew_bpf_pins_unmount(observer->pins);
	ew_iter_free(observer->iter);
	ew_bpf_rings_close(observer->rings);
	ew_bpf_records_free(observer->records);
	ew_bpf_programs_unload(&observer->programs);
	ew_bpf_features_close(&observer->features);
	free(observer);
}

int ew_bpf_fd(const struct ew_bpf *observer)
{
	return ew_bpf_rings_fd(observer->rings);
}

void ew_bpf_poll_throttled(struct ew_bpf *observer)
{
	ew_bpf_rings_poll_throttled(observer->rings);
}

void ew_bpf_flush_if_large(struct ew_bpf *observer, const struct fact_sink *sink)
{
	struct event_batch *batch = ew_bpf_records_batch(observer->records);

	ew_bpf_rings_poll_throttled(observer->rings);
	if (event_batch_size(batch) > BATCH_LARGE)
		ew_bpf_rings_emit(observer->rings, sink);
}

/* Records that are read while others are emitted do not make the descriptor readable any more. */
void ew_bpf_dispatch(struct ew_bpf *observer, const struct fact_sink *sink)
{
	struct event_batch *batch = ew_bpf_records_batch(observer->records);

	ew_bpf_rings_poll(observer->rings);
	for (int i = 0; i < FLUSHES_MAX && event_batch_size(batch); i++)
		ew_bpf_rings_emit(observer->rings, sink);
}

int ew_bpf_add_process(struct ew_bpf *observer, int32_t pid, uint64_t start, enum ew_bpf_role role,
		       struct error *error)
{
	const struct execwatch_bpf *skel = observer->programs.skel;
	bool agent = role == EW_BPF_ROLE_AGENT;

	return ew_procs_map_add(
		bpf_map__fd(skel->maps.procs), pid, start, agent ? EW_ROLE_AGENT : EW_ROLE_EXECUTOR,
		agent ? skel->rodata->agent_depth : skel->rodata->executor_depth, error);
}
