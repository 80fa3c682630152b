/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live observation by BPF: TCP connections of the agent and its executors, their processes'
 * lives, and the protocol messages they send. Facts put: FACT_HOOK, FACT_SOCKET, FACT_HOLDER,
 * FACT_TCP, FACT_FORK, FACT_EXEC, FACT_EXIT, FACT_SIGNAL, FACT_MESSAGE, FACT_LOST.
 *
 * Order of use: open (the live programs run from then on), seed (what was there before), then
 * drain whenever the descriptor is readable. Watched are all sockets with the agent port at
 * either end, in every network namespace, all connections made or accepted by processes that were
 * added, and what the programs learn by themselves: whoever listens on the agent port is an
 * agent, and three generations of its descendants are followed.
 *
 * A new agent shows as FACT_TCP with to == TCP_LISTEN and the agent port as local port;
 * FACT_AGENT needs /proc and is not put here. In FACT_TCP pid is the process that connected,
 * listens or closes; for an accepted connection (SYN_RECV to ESTABLISHED) it is the listener's.
 * Where that turns out to be another process (seen reading or sending), a FACT_TCP with from ==
 * to names it.
 */
#ifndef EW_OBSERVE_BPF_OBSERVER_H
#define EW_OBSERVE_BPF_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ew_bpf;
struct fact_sink;
struct error;

/* Programs that can serve the slot "messages", best first. */
enum ew_bpf_messages {
	EW_BPF_MESSAGES_BEST, /* the first that the kernel takes */
	EW_BPF_MESSAGES_TP,
	EW_BPF_MESSAGES_FENTRY,
	EW_BPF_MESSAGES_KPROBE,
	EW_BPF_MESSAGES_CGROUP,
	EW_BPF_MESSAGES_NONE,
};

struct ew_bpf_options {
	uint16_t agent_port;
	enum ew_bpf_messages messages; /* anything but BEST: this one or failure */
	uint32_t life_ring;    /* bytes, a power of two and of whole pages; 0: EW_LIFE_RING */
	uint32_t message_ring; /* the same; 0: EW_MESSAGE_RING */
	const char *pins;      /* directory to survive in; NULL: end with the process */
	bool keep;	       /* survive in it ew_bpf_free() as well, not only a sudden end */
};

/*
 * Loads and attaches. Puts a FACT_HOOK for each slot. Needs CAP_BPF and CAP_PERFMON
 * (CAP_NET_ADMIN too for messages from cgroup_skb), and a kernel with BTF; before 5.12 root
 * and a mounted cgroup2 hierarchy (bpf/cookie.bpf.h says why). Errors: -EPERM (a capability or
 * lockdown: *error says which), -ENOTSUP (no BTF; too old and no cgroup2), -EINVAL and others from
 * loading.
 */
int ew_bpf_open(const struct ew_bpf_options *options, const struct fact_sink *sink,
		struct ew_bpf **ret, struct error *error);
/* Detaches and unloads everything, and removes the pins unless they are to be kept; NULL is fine.
 */
void ew_bpf_free(struct ew_bpf *watch);

/*
 * With options.pins everything is pinned in that directory (made, and a bpf filesystem mounted on
 * it, unless it is in one; its parent must be there). Should the process be killed, or options.keep
 * be set, the programs go on, and the next open with the same directory, port and ring sizes takes
 * over: with what had happened in between all that the one before had read is put once more by the
 * next drain, as far back as it was kept; the rest is counted as lost. One watch at a time may use
 * a directory: the caller holds a lock. Where pinning cannot be had, FACT_HOOK "pins" says why and
 * the watch goes on without.
 */
bool ew_bpf_resumed(const struct ew_bpf *watch);
/* Will it be there for the next one? Only with options.keep, and where it could be pinned. */
bool ew_bpf_kept(const struct ew_bpf *watch);

/* Ends what a watch has left in a directory, and removes the directory. */
void ew_bpf_pins_unmount(const char *dir);

/* Readable when there is something to drain; for epoll. Owned by watch. */
int ew_bpf_fd(const struct ew_bpf *watch);

/* Puts the facts of all events there are, in the order of their time. Never blocks. */
void ew_bpf_dispatch(struct ew_bpf *watch, const struct fact_sink *sink);

/*
 * Makes room in the rings, unless it was done some ms ago: cheap, to be called often by who is busy
 * with something else for long. The next drain puts what was there.
 */
void ew_bpf_poll_throttled(struct ew_bpf *watch);

/* The same, and puts what was read when it has become much. Not to be called by who is told. */
void ew_bpf_flush_if_large(struct ew_bpf *watch, const struct fact_sink *sink);

/*
 * Walks over all descriptors of all processes and puts FACT_SOCKET and FACT_HOLDER for each
 * socket that is watched; events that are waiting are drained with them, in the order of time.
 * The walk sees only processes of the pid namespace it is called from. What the walk does not
 * find no longer has a descriptor. Safe to repeat. Errors: those of bpf(2) and read(2).
 */
int ew_bpf_scan(struct ew_bpf *watch, const struct fact_sink *sink, struct error *error);

enum ew_bpf_role { EW_BPF_ROLE_AGENT = 1, EW_BPF_ROLE_EXECUTOR = 2 };

/*
 * Watches a process: its connections, signals, end, and its children (an agent's: three
 * generations). start as in facts.h. Add first, then see whether it is still there: an end before
 * the adding is not seen. Adding it again adds the role. Errors: -E2BIG (more than 16,384).
 */
int ew_bpf_add_process(struct ew_bpf *watch, int32_t pid, uint64_t start, enum ew_bpf_role role,
		       struct error *error);
/* No error when it was not watched. */
void ew_bpf_remove_process(struct ew_bpf *watch, int32_t pid);

/*
 * Puts a FACT_LOST for each cause whose count has changed since the last call, or for all, counted
 * since the first event that this watch can tell of. Causes: "history" (read by a watch that was
 * killed, and kept no longer, with whatever else was lost by then: the fact has the time until
 * which this may be so), "lifecycle-ring" and "message-ring" (full; seen is all that the programs
 * saw, see struct ew_counters), "message-memory" (the sender's could not be read), "map-full" (an
 * event, or that what it is about is followed), "no-cookie" (a socket that has none, before 5.12),
 * "recursion" (a hook that interrupted itself: skipped by the kernel), "memory". Ends of processes
 * that a full ring has swallowed are put as FACT_EXIT from the kernel's map. Returns true when
 * anything was lost since the last call, or may have been: changes of TCP state skipped by
 * recursion are counted for the whole host. Seed again then.
 */
bool ew_bpf_counters(struct ew_bpf *watch, bool all, const struct fact_sink *sink);

/*
 * Which programs this kernel would take, each loaded and attached for a moment, alone: a FACT_HOOK
 * for each program, its reason empty when it would work. For doctor. Returns 0, or an error when
 * nothing can be tried at all (no BTF, no capability).
 */
int ew_bpf_hooks_probe(const struct fact_sink *sink, struct error *error);

/* Where libbpf's own messages go, one line each; NULL (as it begins): nowhere. */
void ew_bpf_log_to(void (*log)(const char *line));

#endif
