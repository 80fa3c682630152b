/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_BPF_BPF_OPTIONS_H
#define EW_OBSERVE_BPF_BPF_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Programs that can serve the hook "messages", best first. */
enum ew_bpf_messages {
	EW_BPF_MESSAGES_BEST, /* the first that the kernel accepts */
	EW_BPF_MESSAGES_TP,
	EW_BPF_MESSAGES_FENTRY,
	EW_BPF_MESSAGES_KPROBE,
	EW_BPF_MESSAGES_CGROUP,
	EW_BPF_MESSAGES_NONE,
};

struct ew_bpf_options {
	uint16_t agent_port;
	enum ew_bpf_messages messages; /* other than BEST: this one or failure */
	uint32_t life_ring;	       /* bytes, a power of two and whole pages; 0: EW_LIFE_RING */
	uint32_t message_ring;	       /* likewise; 0: EW_MESSAGE_RING */
	const char *pins;      /* directory to pin in; NULL: everything ends with the process */
	const char *pins_name; /* of that directory, for people; NULL: pins */
	bool keep;	       /* the pins stay at ew_bpf_free(), not only at a sudden end */
};

#endif
