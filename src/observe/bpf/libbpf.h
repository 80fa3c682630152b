/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf and the skeleton of bpf/execwatch.bpf.c. */
#ifndef EW_OBSERVE_BPF_LIBBPF_H
#define EW_OBSERVE_BPF_LIBBPF_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "execwatch.skel.h"

#endif
