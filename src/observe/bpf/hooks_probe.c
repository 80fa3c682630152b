/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/hooks_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/error.h"
#include "observe/bpf/bpf_features.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/load_error.h"
#include "observe/bpf/prog_variants.h"

struct probe {
	char section[64];
	char reason[EW_BPF_REASON_MAX]; /* empty: the program works */
};

/* Selects one program alone for loading. */
static struct bpf_program *program_select(struct execwatch_bpf *skel, const char *name)
{
	struct bpf_program *prog, *selected = NULL;

	bpf_object__for_each_program(prog, skel->obj)
	{
		bpf_program__set_autoload(prog, strcmp(bpf_program__name(prog), name) == 0);
		if (bpf_program__autoload(prog))
			selected = prog;
	}
	return selected;
}

static int load_and_attach(const struct ew_bpf_features *features, struct execwatch_bpf *skel,
			   const struct bpf_program *prog)
{
	struct bpf_link *link;
	int err;

	ew_bpf_features_to_rodata(features, skel);
	err = execwatch_bpf__load(skel);
	if (err)
		return err;
	link = ew_bpf_features_attach(features, prog);
	if (!link)
		return -errno;
	bpf_link__destroy(link);
	return 0;
}

static void program_probe(const struct ew_bpf_features *features, const char *name,
			  struct probe *probe)
{
	struct execwatch_bpf *skel = execwatch_bpf__open();
	const struct bpf_program *prog;
	struct error error;
	int err;

	if (!skel) {
		snprintf(probe->reason, sizeof(probe->reason), "%s", strerror(errno));
		return;
	}
	prog = program_select(skel, name);
	snprintf(probe->section, sizeof(probe->section), "%s", bpf_program__section_name(prog));
	if (ew_bpf_features_has_hook(features, prog, probe->reason)) {
		err = load_and_attach(features, skel, prog);
		if (err) {
			ew_bpf_load_error(err, &error);
			error_text(&error, probe->reason, sizeof(probe->reason));
		}
	}
	execwatch_bpf__destroy(skel);
}

static void hook_probe(const struct ew_bpf_features *features, const struct ew_bpf_hook *hook,
		       const struct fact_sink *sink)
{
	for (size_t i = 0; i < EW_BPF_VARIANTS_MAX && hook->programs[i]; i++) {
		struct probe probe = { 0 };

		program_probe(features, hook->programs[i], &probe);
		emit_hook(sink, hook->name, probe.section, probe.reason,
			  strncmp(probe.section, "cgroup_skb/", 11) == 0);
	}
}

/* Creating a map is the least that bpf(2) allows to anybody who may use it at all. */
static int bpf_is_allowed(struct error *error)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "ew_probe", 4, 4, 1, NULL);

	if (fd < 0)
		return ew_bpf_load_error(fd, error);
	close(fd);
	return 0;
}

int ew_bpf_hooks_probe(const struct fact_sink *sink, struct error *error)
{
	struct ew_bpf_features features;
	int err = bpf_is_allowed(error);

	if (!err)
		err = ew_bpf_features_open(&features, error);
	if (err)
		return err;
	for (size_t i = 0; i < ew_bpf_hooks_n; i++)
		if (ew_bpf_hook_is_needed(&ew_bpf_hooks[i], &features))
			hook_probe(&features, &ew_bpf_hooks[i], sink);
	ew_bpf_features_close(&features);
	return 0;
}
