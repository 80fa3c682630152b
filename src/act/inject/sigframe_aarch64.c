/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The frame that rt_sigreturn reads on arm64 (arch/arm64/include/uapi/asm/sigcontext.h,
 * arch/arm64/kernel/signal.c). No return addresses are needed on the stack: the return address is a
 * register, and the vdso has the instructions of rt_sigreturn. At the stop the kernel has already
 * set the program counter back to the interrupted call, and x0 to its first argument.
 *
 * A thread in a system call has no SVE state beyond the FPSIMD registers (the call discards it).
 */
#ifdef __aarch64__
#include "act/inject/sigframe.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum {
	/* offsets in the frame (struct rt_sigframe): siginfo, then the ucontext */
	F_UC = 128,
	F_SS_FLAGS = F_UC + 24,
	F_SIGMASK = F_UC + 40,
	F_REGS = F_UC + 176 + 8, /* x0 to x30, sp, pc, pstate, as struct user_regs_struct */
	F_RECORDS = F_UC + 464,
	FPSIMD_SIZE = 0x210,
	F_SIZE = F_RECORDS + FPSIMD_SIZE + 16, /* and the record that ends the list */
	SS_INVALID = 7,
	V_SIZE = 512, /* v0 to v31 in NT_PRFPREG; then fpsr, fpcr */
	X_NR = 8,
	X_RETURN = 30,
	INSN = 4,
};

#define FPSIMD_MAGIC 0x46508001u
#define PSTATE_32BIT 0x10ull
#define PSTATE_BTYPE 0xc00ull /* as after a function call: no branch target check is pending */

const int sigframe_xstate_regset = NT_PRFPREG;

const struct sigframe_pattern sigframe_patterns[] = {
	/* svc 0; ret */
	{ offsetof(struct sigframe_code, syscall_ret),
	  8,
	  INSN,
	  { 0x01, 0, 0, 0xd4, 0xc0, 0x03, 0x5f, 0xd6 },
	  4,
	  { 0xe5, 0x03, 0x07, 0xaa } }, /* mov x5, x7 */
	/* mov x8, 139; svc 0 */
	{ offsetof(struct sigframe_code, sigreturn),
	  8,
	  INSN,
	  { 0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4 },
	  0,
	  { 0 } },
};
const size_t sigframe_n_patterns = sizeof(sigframe_patterns) / sizeof(sigframe_patterns[0]);

#ifndef NT_ARM_ZA /* Linux 5.19 */
#define NT_ARM_ZA 0x40c
#endif
#ifndef NT_ARM_POE /* Linux 6.12 */
#define NT_ARM_POE 0x40f
#endif
#ifndef NT_ARM_GCS /* Linux 6.13 */
#define NT_ARM_GCS 0x410
#endif

const int sigframe_unsupported_regsets[] = { NT_ARM_ZA, NT_ARM_POE, NT_ARM_GCS, 0 };

bool sigframe_regset_in_use(int note, const void *data, size_t len)
{
	enum { ZA_HEADER = 16, POE_INITIAL = 7 /* key 0: read, write, execute */ };
	uint64_t word = 0;

	if (note == NT_ARM_ZA)
		return len > ZA_HEADER; /* the header alone: off */
	memcpy(&word, data, len < sizeof(word) ? len : sizeof(word));
	return word != (note == NT_ARM_POE ? POE_INITIAL : 0); /* GCS: the enabled features */
}

bool sigframe_code_complete(const struct sigframe_code *code)
{
	return code->syscall_ret && code->sigreturn;
}

void xstate_layout_read(struct xstate_layout *layout)
{
	memset(layout, 0, sizeof(*layout));
}

static void put(struct sigframe *f, uint64_t addr, const void *data, size_t len)
{
	memcpy(f->bytes + (addr - f->addr), data, len);
}

static void put_u32(struct sigframe *f, uint64_t addr, uint32_t v)
{
	put(f, addr, &v, sizeof(v));
}

/* Registers with which the thread makes a system call and then returns to the frame at sp. */
static sigframe_regs call_regs(const struct sigframe_stop *stop, const struct sigframe_code *code,
			       uint64_t sp, long nr, int fd, uint64_t second, uint64_t third)
{
	sigframe_regs r = stop->regs;

	r.pc = code->syscall_ret;
	r.sp = sp;
	r.regs[X_NR] = (uint64_t)nr;
	r.regs[X_RETURN] = code->sigreturn;
	r.regs[0] = (uint64_t)fd;
	r.regs[1] = second;
	r.regs[2] = third;
	r.pstate &= ~PSTATE_BTYPE;
	return r;
}

static void put_frame(struct sigframe *f, uint64_t at, const sigframe_regs *regs, uint64_t sigmask,
		      const struct sigframe_stop *stop)
{
	/* Invalid on purpose: the kernel ignores the error and keeps the alternate stack. */
	put_u32(f, at + F_SS_FLAGS, SS_INVALID);
	put(f, at + F_SIGMASK, &sigmask, sizeof(sigmask));
	put(f, at + F_REGS, regs, sizeof(*regs));
	put_u32(f, at + F_RECORDS, FPSIMD_MAGIC);
	put_u32(f, at + F_RECORDS + 4, FPSIMD_SIZE);
	put(f, at + F_RECORDS + 8, stop->xstate + V_SIZE, 8); /* fpsr, fpcr */
	put(f, at + F_RECORDS + 16, stop->xstate, V_SIZE);
}

int sigframe_build(const struct sigframe_stop *stop, const struct sigframe_code *code,
		   const struct sigframe_fds *fds, const struct xstate_layout *layout,
		   struct sigframe *ret_frame)
{
	uint64_t upper = (stop->regs.sp - F_SIZE) & ~15ull;
	uint64_t lower = (upper - F_SIZE) & ~15ull;
	struct sigframe *f = ret_frame;

	(void)layout;
	if (stop->xstate_len < V_SIZE + 8)
		return -EINVAL;
	/* There the kernel would take the injected call for its own restart (do_signal()). */
	if (stop->regs.pc == code->syscall_ret)
		return -EAGAIN;
	f->addr = lower;
	f->len = upper + F_SIZE - lower;
	memset(f->bytes, 0, f->len);
	f->close = call_regs(stop, code, upper, SYS_close, fds->scratch_fd, 0, 0);
	put_frame(f, upper, &stop->regs, stop->sigmask, stop);
	put_frame(f, lower, &f->close, ~0ull, stop);
	f->dup = call_regs(stop, code, lower, SYS_fcntl, fds->fd, F_DUPFD_CLOEXEC,
			   (uint64_t)fds->scratch_fd);
	f->shutdown = call_regs(stop, code, lower, SYS_shutdown, fds->scratch_fd, SHUT_RD, 0);
	return 0;
}

void sigframe_close_other(struct sigframe *frame, int fd)
{
	frame->close.regs[0] = (uint64_t)fd;
}

bool sigframe_restarts(const sigframe_regs *regs, long nr, uint64_t pc)
{
	return (long)regs->regs[X_NR] == nr && regs->pc == pc - INSN;
}

bool sigframe_native(const sigframe_regs *regs, size_t len)
{
	return len == sizeof(*regs) && !(regs->pstate & PSTATE_32BIT);
}

uint64_t sigframe_sp(const sigframe_regs *regs)
{
	return regs->sp;
}

uint64_t sigframe_pc(const sigframe_regs *regs)
{
	return regs->pc;
}

bool sigframe_at_call(const sigframe_regs *regs, const struct sigframe_code *code, long nr)
{
	return regs->pc == code->syscall_ret + INSN && (long)regs->regs[X_NR] == nr;
}

long sigframe_call_value(const sigframe_regs *regs)
{
	return (long)regs->regs[0];
}

static struct seccomp_data seen(const sigframe_regs *regs, long nr, uint64_t first, uint64_t ip)
{
	struct seccomp_data data = {
		.nr = (int)nr,
		.arch = AUDIT_ARCH_AARCH64,
		.instruction_pointer = ip,
	};

	for (int i = 0; i < 6; i++)
		data.args[i] = regs->regs[i];
	data.args[0] = first;
	return data;
}

void sigframe_seccomp_data(const struct sigframe *frame, const struct sigframe_code *code,
			   const struct sigframe_fds *fds,
			   struct seccomp_data ret_calls[SIGFRAME_CALLS])
{
	uint64_t ip = code->syscall_ret + INSN, scratch_fd = (uint64_t)fds->scratch_fd;

	ret_calls[0] = seen(&frame->dup, SYS_fcntl, (uint64_t)fds->fd, ip);
	ret_calls[1] = seen(&frame->shutdown, SYS_shutdown, scratch_fd, ip);
	ret_calls[2] = seen(&frame->close, SYS_close, scratch_fd, ip);
	ret_calls[3] = seen(&frame->shutdown, SYS_rt_sigreturn, 0, code->sigreturn_end);
}
#endif
