/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_BPF_LIBBPF_LOG_H
#define EW_OBSERVE_BPF_LIBBPF_LOG_H

/* Passes libbpf's messages to log, one line each; NULL: drops them. */
void ew_libbpf_log_to(void (*log)(const char *line));

/* Drops libbpf's messages, unless ew_libbpf_log_to() was called before. */
void ew_libbpf_log_default(void);

#endif
