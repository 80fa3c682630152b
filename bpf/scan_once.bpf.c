// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The scan of descriptors alone, without observing events: sockets with a port of the agent at
 * either end, in their present state. An object of its own with a light skeleton: the kernel
 * relocates it (5.17 and later), so that user space need not parse 5 MB of type information for one
 * program.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#include "scan_row.bpf.h"

#define BPF_F_NO_PREALLOC 1 /* linux/bpf.h */

/* The last scan that has reported a socket, by cookie. If it is full, some are reported twice. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
} reported SEC(".maps");

/* The kernel runs it again on the same descriptor when the buffer was full: a row that was not
 * written does not count as reported. */
SEC("iter/task_file")
int scan_once_row(struct bpf_iter__task_file *ctx)
{
	struct ew_scan_socket row = {};
	__u32 scan = scan_number, *last;
	struct sock *sk;

	sk = row_begin(ctx, &row);
	if (!sk || !(port_matters(row.ends.lport, row.ends.rport) || row.holder.tgid == scan_tgid))
		return 0;
	if (!row_fill(sk, &row))
		return 0;
	last = bpf_map_lookup_elem(&reported, &row.cookie);
	if (last && *last == scan)
		row_write_holder(ctx->meta->seq, &row);
	else if (!bpf_seq_write(ctx->meta->seq, &row, sizeof(row)))
		bpf_map_update_elem(&reported, &row.cookie, &scan, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
