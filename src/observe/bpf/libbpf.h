/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf, and the skeleton. libbpf names its tristate of kernel options as ours: it is renamed. */
#ifndef EW_OBSERVE_BPF_LIBBPF_H
#define EW_OBSERVE_BPF_LIBBPF_H

#define EW_NO	   LIBBPF_TRI_NO
#define EW_YES	   LIBBPF_TRI_YES
#define TRI_MODULE LIBBPF_TRI_MODULE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#undef EW_NO
#undef EW_YES
#undef TRI_MODULE

#include "execwatch.skel.h"

#endif
