/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that the BPF programs send to user space, and the values of their maps.
 *
 * Numbers are in host byte order, addresses in network byte order (IPv4 as ::ffff:a.b.c.d). Times
 * are CLOCK_MONOTONIC nanoseconds; a process' start time is in clock ticks since boot, as field 22
 * of /proc/PID/stat. Every byte is written, padding included. EW_ABI is raised whenever the layout
 * or its meaning changes, and when messages are shown that were filtered before: that a history has
 * none must mean that there was none. Event numbers are never reused.
 */
#ifndef EW_EVENTS_H
#define EW_EVENTS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define EW_ABI 7

#define EW_COMM_MAX    16
#define EW_PATH_MAX    128
#define EW_MESSAGE_MAX 512
#define EW_PORTS_MAX   4 /* of one agent: it listens on one, and may advertise others */

/*
 * Default sizes of the rings, bytes. They are read every few ms; events that occur while the reader
 * is not scheduled must fit: 20,000 changes of connections and 3,400 messages. The restart of an
 * agent causes 27 and 4 for each of its executors.
 */
#define EW_LIFE_RING	(2 * 1024 * 1024)
#define EW_MESSAGE_RING (2 * 1024 * 1024)

enum ew_event_type {
	EW_TCP_STATE = 1,
	EW_TCP_OWNER = 2, /* struct ew_tcp too: a process was seen using a socket whose owner was
			     not sure */
	EW_FORK = 3,
	EW_EXEC = 4,
	EW_EXIT = 5,
	EW_SIGNAL = 6,
	EW_MESSAGE = 7,
	EW_SCAN_SOCKET = 8, /* rows of the iterator: a socket together with one descriptor */
	EW_SCAN_HOLDER = 9, /* another descriptor of a socket that the same scan has reported */
};

struct ew_header {
	__u16 type;
	__u16 size; /* of the whole record */
	__u32 pad;
	__u64 seq; /* monotonic over both rings; 0 in rows of the iterator */
	__u64 ktime_ns;
};

struct ew_task {
	__u32 tgid; /* in the host's pid namespace; 0: unknown */
	__u32 pad;
	__u64 start_ticks;
};

struct ew_ends {
	__u8 laddr[16];
	__u8 raddr[16];
	__u16 lport;
	__u16 rport;
	__u32 netns; /* inode number */
};

struct ew_tcp {
	struct ew_header header;
	__u64 cookie;
	struct ew_ends ends;
	struct ew_task task; /* the acting process, if known; an accepted socket's owner */
	__u8 from;
	__u8 to;
	__u16 pad;
	__s32 error; /* sk_err (ETIMEDOUT, ECONNRESET…); 0: none */
};

struct ew_fork {
	struct ew_header header;
	struct ew_task child;
	struct ew_task parent;
};

struct ew_exec {
	struct ew_header header;
	struct ew_task task;
	char comm[EW_COMM_MAX];
	char filename[EW_PATH_MAX];
};

struct ew_exit {
	struct ew_header header;
	struct ew_task task;
	struct ew_task killer; /* sender of the signal that killed it */
	char comm[EW_COMM_MAX];
	char killer_comm[EW_COMM_MAX];
	__s32 status; /* as wait(2) gives it */
	__s32 signal; /* the fatal signal that was seen being delivered; 0: none was */
};

struct ew_signal {
	struct ew_header header;
	struct ew_task target;
	struct ew_task sender; /* tgid 0: the kernel */
	char sender_comm[EW_COMM_MAX];
	__s32 signal;
	__s32 pad;
};

struct ew_message {
	struct ew_header header;
	__u64 cookie;
	struct ew_ends ends;
	struct ew_task sender;
	__u32 total;		    /* bytes of the whole send, or packet */
	__u32 len;		    /* bytes of it in bytes[] */
	__u8 bytes[EW_MESSAGE_MAX]; /* zero from len on */
};

struct ew_scan_socket {
	struct ew_header header;
	__u64 cookie;
	__u64 inode;
	struct ew_ends ends;
	struct ew_task holder;
	__s32 fd;
	__u32 state;
	__s64 idle_jiffies; /* since data was sent or received; -1: undefined in this state */
};

struct ew_scan_holder {
	struct ew_header header;
	__u64 cookie;
	struct ew_task holder;
	__s32 fd;
	__u32 pad;
};

/* ---- maps ---- */

/* Why a process is followed; bits. */
enum ew_role {
	EW_ROLE_AGENT = 1,    /* listens on the agent port, or added by user space */
	EW_ROLE_EXECUTOR = 2, /* added by user space */
	EW_ROLE_CHILD = 4,    /* descends from one of those */
	EW_ROLE_PEER = 8,     /* has connected to a port of the agent */
};

/* procs: by tgid */
struct ew_proc {
	__u64 start_ticks;
	__u32 role;
	__u32 depth;	       /* generations of descendants that are followed too */
	struct ew_task killer; /* sender of the last signal that can kill it */
	char killer_comm[EW_COMM_MAX];
	__s32 signal;
	__u32 pad;
};

/* conns: by cookie, from the first event or row until CLOSE */
struct ew_conn {
	struct ew_ends ends;
	struct ew_task owner;
	__u64 ktime_ns; /* of the last change */
	__u8 state;
	__u8 from;	    /* the state before, if a hook has reported the change */
	__u8 listener_fit;  /* score of the listener that the owner is taken from */
	__u8 owner_held;    /* the scan has found a descriptor of the owner */
	__u32 scan_number;  /* of the last scan that has reported it */
	__u32 message_seq;  /* TCP sequence number of the last message's first byte */
	__u32 message_from; /* hash of the sending thread and its buffer; 0 in packets */
	__u8 has_message;
	__u8 owner_sure;    /* the owner was seen using it */
	__u8 tls;	    /* a TLS record was reported */
	__u8 after_request; /* the next send may be the body of a v1 call */
	__u32 more_pad;
};

/* listeners: the sockets that listen on a port; their owners are in conns */
struct ew_listen_key {
	__u32 netns;
	__u32 port;
};

#define EW_LISTENERS_MAX 4 /* that share a port, by address or SO_REUSEPORT */

struct ew_listeners {
	__u64 cookies[EW_LISTENERS_MAX]; /* 0, or not in conns: free */
#define EW_LISTENERS_MORE (~0ULL)	 /* in place of the last: there are more */
};

/* exits: struct ew_exit of each process that has exited, until user space has read the record */
struct ew_exit_key {
	__u32 tgid;
	__u32 pad;
	__u64 start_ticks;
};

/*
 * meta: describes the other maps to an execwatch that finds them pinned. Of several sets of
 * programs that share the maps only the set of this generation is active: a new set is attached
 * first and activated then, so that no event is lost between the two.
 */
struct ew_meta {
	__u32 abi;		   /* EW_ABI */
	__u16 ports[EW_PORTS_MAX]; /* observed: the first is the one that the agent listens on */
	__u32 life_ring;	   /* bytes */
	__u32 message_ring;
	__u32 generation;
	__u64 misses; /* events that replaced programs have missed (src/observe/bpf/prog_variants.h)
		       */
};

/*
 * counters: per CPU. Every event that is seen is counted once more, as shown, filtered or lost:
 * seen == shown + filtered + lost + unkept + unnamed (life), or + unread (messages), whenever no
 * program is running.
 *
 * life_seen counts the events that need a map lookup: forks (not new threads), exec, the exit of a
 * process' last thread, delivered signals that can kill, new connections and listeners, state
 * changes of a TCP socket at a port of the agent or with a cookie, and owners found by their use of
 * a socket. Events that are filtered by registers alone, nearly all of a host's, are not counted.
 * message_seen counts the sends, or packets, of the observed connections.
 */
struct ew_counters {
	__u64 life_seen;
	__u64 life_shown;
	__u64 life_filtered;
	__u64 life_lost;    /* the ring was full */
	__u64 life_unkept;  /* conns was full */
	__u64 life_unnamed; /* a socket without a cookie: before 5.12 */
	__u64 message_seen;
	__u64 message_shown;
	__u64 message_filtered;
	__u64 message_lost;   /* the ring was full */
	__u64 message_unread; /* the sender's memory could not be read, or not enough of it */
	__u64 unfollowed;     /* shown, or found by a scan, but a map had no room to follow it */
};

_Static_assert(sizeof(struct ew_header) == 24, "ABI");
_Static_assert(sizeof(struct ew_task) == 16, "ABI");
_Static_assert(sizeof(struct ew_ends) == 40, "ABI");
_Static_assert(sizeof(struct ew_tcp) == 96, "ABI");
_Static_assert(sizeof(struct ew_fork) == 56, "ABI");
_Static_assert(sizeof(struct ew_exec) == 184, "ABI");
_Static_assert(sizeof(struct ew_exit) == 96, "ABI");
_Static_assert(sizeof(struct ew_signal) == 80, "ABI");
_Static_assert(sizeof(struct ew_message) == 608, "ABI");
_Static_assert(sizeof(struct ew_scan_socket) == 112, "ABI");
_Static_assert(sizeof(struct ew_scan_holder) == 56, "ABI");
_Static_assert(sizeof(struct ew_proc) == 56, "ABI");
_Static_assert(sizeof(struct ew_conn) == 88, "ABI");
_Static_assert(sizeof(struct ew_listen_key) == 8, "ABI");
_Static_assert(sizeof(struct ew_listeners) == 32, "ABI");
_Static_assert(sizeof(struct ew_exit_key) == 16, "ABI");
_Static_assert(sizeof(struct ew_meta) == 32, "ABI");
_Static_assert(sizeof(struct ew_counters) == 96, "ABI");

#endif
