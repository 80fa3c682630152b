/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What programs on the kernel's tracepoints cost a process that nobody watches:
 *     bench_overhead KIND ROUNDS OBJECT...
 * KIND is one of loads.h; OBJECT is build/bpf/execwatch.bpf.o, and others to compare with it. Each
 * round has a slice of the load without programs, one with a program that does nothing on each
 * tracepoint (what the kernel itself takes for calling one: the least that any observer there
 * costs), and one with each object's programs. Slices are short and their order turns, so that a
 * machine whose speed changes hits all alike. Prints a line a round: microseconds of CPU for each.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "events.h"
#include "loads.h"

#define PROGRAMS_MAX 16
#define VARIANTS_MAX 8
#define SLICE_US     20000

/* Programs that are attached together. */
struct variant {
	int programs[PROGRAMS_MAX];
	int links[PROGRAMS_MAX];
	size_t n;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const char *hook_of(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);

	return strncmp(section, "tp_btf/", 7) == 0 ? section + 7 : NULL;
}

/* Before 6.16 there is no tracepoint for messages: they are left out. */
static bool hook_is_here(const struct btf *btf, const char *hook)
{
	char name[128];

	snprintf(name, sizeof(name), "btf_trace_%s", hook);
	return btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) > 0;
}

/* The live programs of an object, on duty as a watch puts them. */
static struct variant variant_load(const char *path, const struct btf *btf)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct ew_meta meta = { .abi = EW_ABI, .generation = 1 };
	struct variant variant = { .n = 0 };
	struct bpf_program *prog;
	__u32 zero = 0;

	if (!obj)
		die(path);
	bpf_object__for_each_program(prog, obj)
	{
		const char *hook = hook_of(prog);

		bpf_program__set_autoload(prog, hook && hook_is_here(btf, hook));
	}
	if (bpf_object__load(obj) ||
	    bpf_map_update_elem(bpf_object__find_map_fd_by_name(obj, "meta"), &zero, &meta,
				BPF_ANY))
		die(path);
	bpf_object__for_each_program(prog, obj)
	{
		if (bpf_program__autoload(prog) && variant.n < PROGRAMS_MAX)
			variant.programs[variant.n++] = bpf_program__fd(prog);
	}
	return variant;
}

static int empty_load(__u32 hook_id)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = hook_id);

	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", nothing,
			     sizeof(nothing) / sizeof(nothing[0]), &opts);
}

/* On the same tracepoints as another. */
static struct variant variant_empty(const struct variant *other)
{
	struct variant variant = { .n = other->n };

	for (size_t i = 0; i < other->n; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(other->programs[i], &info, &len))
			die("bpf_obj_get_info_by_fd");
		variant.programs[i] = empty_load(info.attach_btf_id);
		if (variant.programs[i] < 0)
			die("empty program");
	}
	return variant;
}

static void variant_attach(struct variant *variant)
{
	for (size_t i = 0; i < variant->n; i++) {
		variant->links[i] = bpf_raw_tracepoint_open(NULL, variant->programs[i]);
		if (variant->links[i] < 0)
			die("bpf_raw_tracepoint_open");
	}
}

static void variant_detach(struct variant *variant)
{
	for (size_t i = 0; i < variant->n; i++)
		close(variant->links[i]);
}

/* Its children too: what moves between CPUs finds its caches cold now and then. */
static void stay_on_one_cpu(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

static double load_us(struct load *load, long n)
{
	double began = load_cpu_us();

	for (long i = 0; i < n; i++)
		load->once(load);
	return (load_cpu_us() - began) / (double)n;
}

/* What fills a slice. */
static long slice_of(struct load *load)
{
	long n = 1;

	while (load_us(load, n) * (double)n < SLICE_US)
		n *= 2;
	return n;
}

static void round_run(struct load *load, struct variant *variants, size_t n, long slice,
		      size_t turn)
{
	double us[VARIANTS_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t k = (i + turn) % n;

		variant_attach(&variants[k]);
		load_us(load, slice / 8 + 1); /* caches, and the code that was changed */
		us[k] = load_us(load, slice);
		variant_detach(&variants[k]);
	}
	for (size_t i = 0; i < n; i++)
		printf("%.4f%c", us[i], i + 1 < n ? ' ' : '\n');
}

int main(int argc, char **argv)
{
	struct variant variants[VARIANTS_MAX] = { { .n = 0 } };
	struct btf *btf = btf__load_vmlinux_btf();
	size_t n = 2;
	struct load load;
	long slice;

	if (argc < 4 || argc - 3 > VARIANTS_MAX - 2)
		return 64;
	if (!btf)
		die("BTF of the kernel");
	for (int i = 3; i < argc; i++)
		variants[n++] = variant_load(argv[i], btf);
	variants[1] = variant_empty(&variants[2]);
	stay_on_one_cpu();
	load = load_begin(argv[1], 0);
	slice = slice_of(&load);
	for (long i = 0; i < strtol(argv[2], NULL, 10); i++)
		round_run(&load, variants, n, slice, (size_t)i);
	btf__free(btf);
	return 0;
}
