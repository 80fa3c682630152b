// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All BPF programs, one object for every kernel. Their records are in events.h. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#include "maps.bpf.h"
#include "ring.bpf.h"
#include "task.bpf.h"
#include "cookie.bpf.h"
#include "sock.bpf.h"
#include "tcp.bpf.h"
#include "process.bpf.h"
#include "message.bpf.h"
#include "scan.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
