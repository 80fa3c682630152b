/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The signal frames by which a thread restores itself: the seam between the injection, which is the
 * same everywhere, and the architecture. Pure: bytes in, bytes out. One frame_ARCH.c per
 * architecture.
 *
 * The thread makes three calls and then is what it was:
 *
 *     fcntl(fd, F_DUPFD_CLOEXEC, spare)   by frame.take
 *     shutdown(spare, SHUT_RD)            by frame.act, and only then
 *     close(spare)                        by the lower frame
 *
 * A descriptor can be closed and its number given to another socket between any look at it and the
 * call. The spare number is one that nobody else uses: what is there can be looked at, and then
 * shut down, at leisure. If nobody looks (the tracer was killed), the thread goes on to close it.
 * Two frames lie on its stack: the lower is returned to after fcntl or shutdown and makes the
 * close, the upper is returned to after the close and holds the thread's own registers.
 *
 * Not dup3(): that would close what another thread has opened on the spare number meanwhile. fcntl
 * takes the next free one instead, and frame.drop makes the thread close that, past the lower
 * frame. What remains: within some microseconds the spare number is taken, because all below it are
 * or by a dup2() to just this one, and the tracer is killed before it has written frame.drop. Then
 * the thread closes what another has opened, and the copy stays.
 */
#ifndef EW_ACT_INJECT_SIGFRAME_H
#define EW_ACT_INJECT_SIGFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#include <linux/seccomp.h>

enum {
	SIGFRAME_XSTATE_MAX = 16384, /* AMX needs 11,008 */
	SIGFRAME_BYTES_MAX = 20480,
	SIGFRAME_COMPONENTS = 64, /* bits of XSTATE_BV */
};

typedef struct user_regs_struct frame_regs; /* NT_PRSTATUS */

/* Everything the kernel says about a stopped thread. */
struct sigframe_stop {
	_Alignas(512) frame_regs regs; /* see struct sigframe */
	uint64_t sigmask; /* PTRACE_GETSIGMASK: what the thread will have, not what it has now */
	size_t xstate_len;
	unsigned char
		xstate[SIGFRAME_XSTATE_MAX]; /* frame_xstate_note, as PTRACE_GETREGSET gives it */
};

/* Where in the target the needed instructions are. 0: not found. */
struct sigframe_code {
	uint64_t call; /* a system call, then return */
	uint64_t back; /* loads the number of rt_sigreturn, then a system call */
	uint64_t back_end;
	uint64_t load; /* instead of back: pops the number's register, returns */
};

struct sigframe_descriptors {
	int fd;	   /* the socket as the target knows it */
	int spare; /* a free number */
};

/* End offset of each extended state component in the standard format; 0: no such component. */
struct xstate_layout {
	uint32_t end[SIGFRAME_COMPONENTS];
};

/*
 * What is to be written into the target: bytes at addr, then one set of registers at a time. The
 * kernel takes registers one by one (genregs_set, arch/x86/kernel/ptrace.c): were they to lie on
 * two pages, a fault between them could leave the thread half changed. In one page, the first word
 * faults or none does.
 */
struct sigframe {
	_Alignas(512) frame_regs take;
	_Alignas(512) frame_regs act;
	_Alignas(512) frame_regs drop; /* see sigframe_drop_other() */
	uint64_t addr;
	size_t len;
	unsigned char bytes[SIGFRAME_BYTES_MAX];
};
_Static_assert(sizeof(frame_regs) <= 512, "registers must not lie on two pages");

/* NT_* number of the regset with the extended state; 0: none is needed. */
extern const int frame_xstate_note;

/* The processor's own layout. */
void sigframe_layout_read(struct xstate_layout *layout);

/*
 * Builds both frames. The lower one leaves all signals blocked, the upper one gives the thread its
 * mask again. The saved registers are those of the stop, with the interrupted call made to start
 * again where the kernel would have restarted it. Returns 0; -E2BIG: extended state larger than
 * this program knows; -EINVAL: regset of another architecture's task; -EAGAIN: not with
 * this code while the thread waits there.
 */
int sigframe_build(const struct sigframe_stop *stop, const struct sigframe_code *code,
		   const struct sigframe_descriptors *fds, const struct xstate_layout *layout,
		   struct sigframe *ret_frame);

/* Makes frame.drop close fd, which fcntl gave instead of the spare number; -1: it gave none. */
void sigframe_drop_other(struct sigframe *frame, int fd);

/*
 * Whether the stopped thread was waiting in call nr, to return to pc, and the kernel would restart
 * that call unseen: not EINTR, not a part of a transfer, not a call already restarted once.
 */
bool sigframe_restarts(const frame_regs *regs, long nr, uint64_t pc);

/* Whether these are native 64-bit registers, in 64-bit mode. */
bool sigframe_native(const frame_regs *regs, size_t len);

uint64_t sigframe_sp(const frame_regs *regs);
uint64_t sigframe_pc(const frame_regs *regs);

/* Whether the thread is at the entry or exit of call nr of the frame; its value at exit. */
bool sigframe_at_call(const frame_regs *regs, const struct sigframe_code *code, long nr);
long sigframe_call_value(const frame_regs *regs);

/* The calls the thread makes, as its seccomp filters see them. */
enum { SIGFRAME_CALLS = 4 };
void sigframe_seccomp_data(const struct sigframe *frame, const struct sigframe_code *code,
			   const struct sigframe_descriptors *fds,
			   struct seccomp_data ret_calls[SIGFRAME_CALLS]);

/* Instruction sequences to look for. field: where the address goes in struct sigframe_code. */
struct sigframe_pattern {
	size_t field;
	size_t len;
	size_t align;
	unsigned char bytes[12];
};
extern const struct sigframe_pattern frame_patterns[];
extern const size_t frame_n_patterns;

/*
 * Regsets with state that the frames cannot carry (a shadow stack, matrix registers): the thread is
 * left alone if it has any. 0 ends the list. data, len: what PTRACE_GETREGSET gave.
 */
extern const int frame_foreign_notes[];
bool sigframe_unsupported_regsets(int note, const void *data, size_t len);

/* Whether code is enough to build a frame with. */
bool sigframe_code_complete(const struct sigframe_code *code);

#endif
