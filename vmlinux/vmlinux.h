/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the BPF programs read, by hand: only fields that are used, in any
 * order. Offsets come from the running kernel's BTF (CO-RE), so the same object serves all
 * kernels and architectures. A type named NAME___WHEN is NAME as it was or is on some kernels
 * only; the programs ask with bpf_core_field_exists() before they use it.
 * tests/unit/test_vmlinux.c compares every field with the BTF of the kernel it runs on.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

/* Numbers of the kernel's user interface (linux/bpf.h): they never change. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* ---- processes ---- */


struct ns_common {
	unsigned int inum;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID };

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[4];
};

struct task_struct {
	unsigned int __state; /* before 5.14: state */
	unsigned int flags;
	unsigned int ptrace;
	int pid;
	int tgid;
	int exit_code;
	__u64 start_boottime;
	char comm[16];
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
};

/* Before 5.5 (cf25e24db61c). */
struct task_struct___v5_4 {
	__u64 real_start_time;
};

struct linux_binprm {
	const char *filename;
};

struct kernel_siginfo {
	int si_code;
};

/* ---- sockets ---- */

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	int sk_err;
};

struct inet_sock {
	__be16 inet_sport;
};

struct inet_connection_sock {
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct tcp_sock {
	__u32 write_seq;
	__u32 lsndtime;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};


/* ---- what a send is given ---- */

struct iovec {
	void *iov_base;
	unsigned long iov_len;
};

enum iter_type___v6_0 { ITER_UBUF___v6_0 };
enum iter_type { ITER_IOVEC };

struct iov_iter {
	__u8 iter_type;
	unsigned long iov_offset;
	unsigned long nr_segs;
	unsigned long count;
};

/* Since 6.4 (de4f5fed3f23). */
struct iov_iter___v6_4 {
	const struct iovec *__iov;
};

/* Before 5.14 (8cd54c1c8480): the direction is bit 0. */
struct iov_iter___v5_13 {
	unsigned int type;
};

struct iov_iter___v6_3 {
	const struct iovec *iov;
};

/* Since 6.0 (fcb14cb1bdac): one user buffer without an iovec. */
struct iov_iter___v6_0 {
	void *ubuf;
};

struct msghdr {
	struct iov_iter msg_iter;
};

/* Registers at the entry of a function, for a kprobe: its first two arguments. */
struct pt_regs___x86 {
	unsigned long di;
	unsigned long si;
};

struct pt_regs___arm64 {
	__u64 regs[31];
};

/* ---- contexts of programs (linux/bpf.h) ---- */

struct bpf_sock_ops {
	__u32 op;
};

struct __sk_buff {
	__u32 len;
	__u32 protocol;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
