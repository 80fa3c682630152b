/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A program that does nothing on each tracepoint that execwatch uses: what the kernel itself takes
 * for calling one, and thereby the least that any observer on these tracepoints costs.
 *     bench_empty     prints "up", and holds them until standard input ends
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const tracepoints[] = {
	"inet_sock_set_state", "tcp_rcv_space_adjust", "tcp_sendmsg_locked", "signal_generate",
	"sched_process_fork",  "sched_process_exec",   "sched_process_exit",
};

/* Held by the process: it ends with it. */
static int hold_empty(const char *tracepoint)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int program, id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP);

	if (id < 0)
		return id;
	opts.attach_btf_id = (unsigned int)id;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", nothing,
				sizeof(nothing) / sizeof(nothing[0]), &opts);
	return program < 0 ? program : bpf_raw_tracepoint_open(NULL, program);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
		int err = hold_empty(tracepoints[i]);

		if (err < 0) /* an older kernel need not have each of them */
			fprintf(stderr, "no program on %s: %s\n", tracepoints[i], strerror(-err));
	}
	puts("up");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return EXIT_SUCCESS;
}
