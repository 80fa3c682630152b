/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The signal frames by which a thread restores itself: the interface between the injection, which
 * is the same on every architecture, and sigframe_ARCH.c. Pure: bytes in, bytes out.
 *
 * The thread makes three system calls and then continues as it was:
 *
 *     fcntl(fd, F_DUPFD_CLOEXEC, scratch_fd)   started by the registers sigframe.dup
 *     shutdown(scratch_fd, SHUT_RD)            started by sigframe.shutdown, and by nothing else
 *     close(scratch_fd)                        started by the lower frame
 *
 * Between any check of a descriptor and the call, another thread can close it and open another
 * socket under its number. The scratch number is one that nothing else uses: what it refers to can
 * be checked and then shut down. If nobody checks (the tracer was killed), the thread goes on and
 * closes it. Two frames are on the thread's stack: it returns to the lower one after fcntl or
 * shutdown, which makes it close, and to the upper one after close, which restores its registers.
 *
 * Not dup3(): that would close what another thread has opened under the scratch number meanwhile.
 * fcntl uses the next free number then, and sigframe.close makes the thread close that one and skip
 * the lower frame. One case remains: the scratch number is taken within some microseconds, because
 * all numbers below are in use or by dup2() to just this number, and the tracer is killed before it
 * has written sigframe.close. Then the thread closes what another has opened, and its duplicate
 * stays open.
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

typedef struct user_regs_struct sigframe_regs; /* NT_PRSTATUS */

/* State of a stopped thread. */
struct sigframe_stop {
	_Alignas(512) sigframe_regs regs; /* alignment: see struct sigframe */
	uint64_t sigmask; /* PTRACE_GETSIGMASK: not that of sigsuspend() and the like, but the one
			     after */
	size_t xstate_len;
	unsigned char xstate[SIGFRAME_XSTATE_MAX]; /* sigframe_xstate_regset, as PTRACE_GETREGSET
						      gives it */
};

/* Addresses of the needed instructions in the target. 0: not found. */
struct sigframe_code {
	uint64_t syscall_ret; /* a system call, then return */
	uint64_t sigreturn;   /* loads the number of rt_sigreturn, then a system call */
	uint64_t sigreturn_end;
	uint64_t pop_nr; /* instead of sigreturn: pops the register of the number, returns */
};

struct sigframe_fds {
	int fd;		/* of the socket, in the target */
	int scratch_fd; /* a free number */
};

/* End offset of each extended state component in the standard format; 0: no such component. */
struct xstate_layout {
	uint32_t end[SIGFRAME_COMPONENTS];
};

/*
 * What is written into the target: bytes at addr, then one set of registers at a time. The kernel
 * copies registers one by one (genregs_set, arch/x86/kernel/ptrace.c). If they were on two pages, a
 * fault in between could leave the thread half changed; on one page, the first word faults or none.
 */
struct sigframe {
	_Alignas(512) sigframe_regs dup;
	_Alignas(512) sigframe_regs shutdown;
	_Alignas(512) sigframe_regs close; /* also: see sigframe_close_other() */
	uint64_t addr;
	size_t len;
	unsigned char bytes[SIGFRAME_BYTES_MAX];
};
_Static_assert(sizeof(sigframe_regs) <= 512, "registers must not lie on two pages");

/* NT_* number of the regset with the extended state; 0: none is needed. */
extern const int sigframe_xstate_regset;

/* The layout of this processor. */
void xstate_layout_read(struct xstate_layout *layout);

/*
 * Builds both frames. The lower one leaves all signals blocked, the upper one restores the signal
 * mask. The saved registers are those of the stop, except that an interrupted system call that the
 * kernel would have restarted is made to restart. Returns 0; -E2BIG: extended state larger than
 * this program knows; -EINVAL: regset of a task of another architecture; -EAGAIN: this code cannot
 * be used while the thread waits in it.
 */
int sigframe_build(const struct sigframe_stop *stop, const struct sigframe_code *code,
		   const struct sigframe_fds *fds, const struct xstate_layout *layout,
		   struct sigframe *ret_frame);

/* Makes frame.close close fd, which fcntl returned instead of the scratch number; -1: nothing. */
void sigframe_close_other(struct sigframe *frame, int fd);

/*
 * Whether the stopped thread was waiting in system call nr, called from before pc, and the kernel
 * would restart that unseen: no EINTR, no partial transfer, not already a restarted call.
 */
bool sigframe_restarts(const sigframe_regs *regs, long nr, uint64_t pc);

/* Whether these are native 64-bit registers, in 64-bit mode. */
bool sigframe_native(const sigframe_regs *regs, size_t len);

uint64_t sigframe_sp(const sigframe_regs *regs);
uint64_t sigframe_pc(const sigframe_regs *regs);

/* Whether the thread is at the entry or exit of system call nr of the frames. */
bool sigframe_at_call(const sigframe_regs *regs, const struct sigframe_code *code, long nr);

/* What that call returned, at its exit. */
long sigframe_call_value(const sigframe_regs *regs);

/* The system calls of the frames, as seccomp filters see them. */
enum { SIGFRAME_CALLS = 4 };
void sigframe_seccomp_data(const struct sigframe *frame, const struct sigframe_code *code,
			   const struct sigframe_fds *fds,
			   struct seccomp_data ret_calls[SIGFRAME_CALLS]);

/* Instruction sequences to search for. field: offset of the address in struct sigframe_code. */
struct sigframe_pattern {
	size_t field;
	size_t len;
	size_t align;
	unsigned char bytes[12];
	/*
	 * Not behind these bytes. The C libraries (musl; glibc since 2.41) have one `syscall; ret`
	 * for all calls in which a thread can be cancelled: the handler of their signal for that
	 * cancels a thread that it finds before or at this instruction (__syscall_cancel_arch_start
	 * to _end, in musl __cp_begin to __cp_end).
	 */
	size_t not_after_len;
	unsigned char not_after[8];
};
extern const struct sigframe_pattern sigframe_patterns[];
extern const size_t sigframe_n_patterns;

/*
 * Regsets (NT_*) with state that the frames cannot carry: shadow stack, matrix registers. A thread
 * that uses one is not touched. 0 ends the list. data, len: what PTRACE_GETREGSET returned.
 */
extern const int sigframe_unsupported_regsets[];
bool sigframe_regset_in_use(int note, const void *data, size_t len);

/* Whether the instructions found suffice to build frames. */
bool sigframe_code_complete(const struct sigframe_code *code);

#endif
