/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The frame that rt_sigreturn reads on x86_64 (arch/x86/include/uapi/asm/sigcontext.h,
 * arch/x86/kernel/signal_64.c, arch/x86/kernel/fpu/signal.c).
 */
#ifdef __x86_64__
#include "act/inject/sigframe.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum {
	RED_ZONE = 128,
	/* offsets in the frame, from the slot that `ret` pops (the kernel: struct rt_sigframe) */
	F_UC_FLAGS = 8,
	F_SS_FLAGS = 32,
	F_REGS = 48,
	F_CS = 192,
	F_SS = 198,
	F_FPSTATE = 232,
	F_SIGMASK = 304,
	F_SIZE = 440,
	/* uc_flags: extended state present; restore ss from the frame, strictly */
	UC_ALL = 1 | 2 | 4,
	SS_INVALID = 7,
	/* offsets in the extended state */
	X_SW_BYTES = 464,
	X_BV = 512,
	X_MIN = 576, /* legacy area and header */
	X_ALIGN = 64,
	X_PKRU = 9,
	POP_NR_SLOTS = 16, /* address and number for sigframe_code.pop_nr */
};

#define MAGIC1	      0x46505853u
#define MAGIC2	      0x46505845u
#define FLAGS_CLEARED 0x40500ull /* TF, DF, AC: as at a function call */
#define USER_CS	      0x33

/* Kernel-internal results of an interrupted call (include/linux/errno.h). */
enum { RESTARTSYS = -512, RESTARTNOINTR = -513, RESTARTNOHAND = -514, RESTARTBLOCK = -516 };

const int sigframe_xstate_regset = NT_X86_XSTATE;

const struct sigframe_pattern sigframe_patterns[] = {
	{ offsetof(struct sigframe_code, syscall_ret),
	  3,
	  1,
	  { 0x0f, 0x05, 0xc3 },
	  5,
	  { 0x4c, 0x89, 0x5c, 0x24, 0x08 } }, /* mov %r11,8(%rsp) */
	/* mov $15,%rax; syscall: the signal return of glibc, musl, Go */
	{ offsetof(struct sigframe_code, sigreturn),
	  9,
	  1,
	  { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 },
	  0,
	  { 0 } },
	{ offsetof(struct sigframe_code, sigreturn),
	  7,
	  1,
	  { 0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 },
	  0,
	  { 0 } },
	{ offsetof(struct sigframe_code, pop_nr), 2, 1, { 0x58, 0xc3 }, 0, { 0 } }, /* pop %rax; ret
										     */
};
const size_t sigframe_n_patterns = sizeof(sigframe_patterns) / sizeof(sigframe_patterns[0]);

/* A shadow stack shows in /proc before the stop (proc_status.shadow_stack), Linux 6.6 as itself. */
const int sigframe_unsupported_regsets[] = { 0 };

bool sigframe_regset_in_use(int note, const void *data, size_t len)
{
	(void)note, (void)data;
	return len > 0;
}

bool sigframe_code_complete(const struct sigframe_code *code)
{
	return code->syscall_ret && (code->sigreturn || code->pop_nr);
}

/* Those that the kernel has enabled: CPUID for each of 62 components is slow in a guest. */
static uint64_t enabled_components(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (uint64_t)d << 32 | a;
}

void xstate_layout_read(struct xstate_layout *layout)
{
	uint64_t enabled = enabled_components();

	memset(layout, 0, sizeof(*layout));
	for (unsigned int i = 2; i < SIGFRAME_COMPONENTS; i++) {
		unsigned int size, offset, flags, unused;

		if (!(enabled >> i & 1))
			continue;
		__cpuid_count(0xd, i, size, offset, flags, unused);
		layout->end[i] = offset + size;
	}
}

static uint64_t read_u64(const unsigned char *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static void put(struct sigframe *f, uint64_t addr, const void *data, size_t len)
{
	memcpy(f->bytes + (addr - f->addr), data, len);
}

static void put_u64(struct sigframe *f, uint64_t addr, uint64_t v)
{
	put(f, addr, &v, sizeof(v));
}

static void put_u32(struct sigframe *f, uint64_t addr, uint32_t v)
{
	put(f, addr, &v, sizeof(v));
}

static void put_u16(struct sigframe *f, uint64_t addr, uint16_t v)
{
	put(f, addr, &v, sizeof(v));
}

/*
 * The components that the frame must list. PKRU always, if the processor has it: without it the
 * kernel opens all keys. Others that are not in XSTATE_BV are in their initial state, which is what
 * the kernel sets for components not listed.
 */
static uint64_t xstate_features(const struct sigframe_stop *stop,
				const struct xstate_layout *layout)
{
	uint64_t bv = read_u64(stop->xstate + X_BV) | 3;

	return layout->end[X_PKRU] ? bv | 1ull << X_PKRU : bv;
}

/*
 * Not the length of the regset: that can exceed the permitted size of the task (if it has not
 * requested AMX), and then the kernel silently restores x87 and SSE only.
 */
static int xstate_need(const struct sigframe_stop *stop, const struct xstate_layout *layout,
		       uint64_t features, size_t *ret_need)
{
	size_t need = X_MIN;

	for (unsigned int i = 2; i < SIGFRAME_COMPONENTS; i++) {
		if (!(features & 1ull << i))
			continue;
		if (!layout->end[i])
			return -E2BIG;
		if (layout->end[i] > need)
			need = layout->end[i];
	}
	if (need > stop->xstate_len)
		return -E2BIG;
	*ret_need = need;
	return 0;
}

static void put_xstate(struct sigframe *f, uint64_t at, const struct sigframe_stop *stop,
		       uint64_t features, size_t need)
{
	static const unsigned char zeros[X_BV - X_SW_BYTES];

	put(f, at, stop->xstate, need);
	put(f, at + X_SW_BYTES, zeros, sizeof(zeros));
	put_u32(f, at + X_SW_BYTES, MAGIC1);
	put_u32(f, at + X_SW_BYTES + 4, (uint32_t)need + 4);
	put_u64(f, at + X_SW_BYTES + 8, features);
	put_u32(f, at + X_SW_BYTES + 16, (uint32_t)need);
	put_u32(f, at + need, MAGIC2);
}

/*
 * rt_sigreturn discards the kernel's own restart of the interrupted system call, so the frame
 * restarts it: back to the `syscall` instruction, with the number of the call.
 */
static void restart_call(struct user_regs_struct *regs)
{
	if ((long)regs->orig_rax < 0)
		return;
	switch ((long)regs->rax) {
	case RESTARTSYS:
	case RESTARTNOINTR:
	case RESTARTNOHAND:
	case RESTARTBLOCK:
		regs->rax = regs->orig_rax;
		regs->rip -= 2;
	}
}

static void put_regs(struct sigframe *f, uint64_t at, const struct user_regs_struct *r)
{
	const uint64_t gprs[] = { r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13,
				  r->r14, r->r15, r->rdi, r->rsi, r->rbp, r->rbx,
				  r->rdx, r->rax, r->rcx, r->rsp, r->rip, r->eflags };

	put(f, at + F_REGS, gprs, sizeof(gprs));
	put_u16(f, at + F_CS, (uint16_t)r->cs);
	put_u16(f, at + F_SS, (uint16_t)r->ss);
}

/* Address of a frame below addr. *ret_entry: the stack pointer from which `ret` leads to it. */
static uint64_t place_frame(uint64_t addr, const struct sigframe_code *code, uint64_t *ret_entry)
{
	uint64_t at = ((addr - F_SIZE - 64) & ~15ull) - 8;

	*ret_entry = code->sigreturn ? at : at - POP_NR_SLOTS;
	return at;
}

/* Writes a frame at `at` that restores regs. Both frames share the extended state at xstate_at. */
static void put_frame(struct sigframe *f, uint64_t at, const struct user_regs_struct *regs,
		      uint64_t sigmask, const struct sigframe_code *code, uint64_t xstate_at)
{
	if (code->sigreturn) {
		put_u64(f, at, code->sigreturn);
	} else { /* pop the number, then `syscall; ret` once more */
		put_u64(f, at - 16, code->pop_nr);
		put_u64(f, at - 8, SYS_rt_sigreturn);
		put_u64(f, at, code->syscall_ret);
	}
	put_u64(f, at + F_UC_FLAGS, UC_ALL);
	/* Invalid on purpose: the kernel ignores the error and keeps the alternate stack. */
	put_u64(f, at + F_SS_FLAGS, SS_INVALID);
	put_regs(f, at, regs);
	put_u64(f, at + F_FPSTATE, xstate_at);
	put_u64(f, at + F_SIGMASK, sigmask);
}

/* Registers with which the thread makes a system call and then returns to the address at rsp. */
static struct user_regs_struct call_regs(const struct sigframe_stop *stop,
					 const struct sigframe_code *code, uint64_t rsp, long nr,
					 int fd, uint64_t second, uint64_t third)
{
	struct user_regs_struct r = stop->regs;

	r.rip = code->syscall_ret;
	r.rsp = rsp;
	r.rax = (unsigned long)nr;
	r.rdi = (unsigned long)fd;
	r.rsi = second;
	r.rdx = third;
	r.orig_rax = (unsigned long)-1; /* not in a call: nothing for the kernel to restart */
	r.eflags &= ~FLAGS_CLEARED;
	return r;
}

int sigframe_build(const struct sigframe_stop *stop, const struct sigframe_code *code,
		   const struct sigframe_fds *fds, const struct xstate_layout *layout,
		   struct sigframe *ret_frame)
{
	uint64_t features, xstate_at, upper, upper_entry, lower, lower_entry;
	struct user_regs_struct restored = stop->regs;
	struct sigframe *f = ret_frame;
	size_t need;
	int err;

	if (stop->xstate_len < X_MIN)
		return -EINVAL;
	features = xstate_features(stop, layout);
	err = xstate_need(stop, layout, features, &need);
	if (err < 0)
		return err;
	xstate_at = (stop->regs.rsp - RED_ZONE - need - 4) & ~(uint64_t)(X_ALIGN - 1);
	upper = place_frame(xstate_at, code, &upper_entry);
	lower = place_frame(upper_entry, code, &lower_entry);
	f->addr = lower_entry;
	f->len = xstate_at + need + 4 - f->addr;
	if (f->len > sizeof(f->bytes))
		return -E2BIG;
	memset(f->bytes, 0, f->len);

	restart_call(&restored);
	f->close = call_regs(stop, code, upper_entry, SYS_close, fds->scratch_fd, 0, 0);
	put_frame(f, upper, &restored, stop->sigmask, code, xstate_at);
	put_frame(f, lower, &f->close, ~0ull, code, xstate_at);
	put_xstate(f, xstate_at, stop, features, need);
	f->dup = call_regs(stop, code, lower_entry, SYS_fcntl, fds->fd, F_DUPFD_CLOEXEC,
			   (uint64_t)fds->scratch_fd);
	f->shutdown = call_regs(stop, code, lower_entry, SYS_shutdown, fds->scratch_fd, SHUT_RD, 0);
	return 0;
}

void sigframe_close_other(struct sigframe *frame, int fd)
{
	frame->close.rdi = (unsigned long)fd;
}

bool sigframe_restarts(const sigframe_regs *regs, long nr, uint64_t pc)
{
	long rax = (long)regs->rax;

	return (long)regs->orig_rax == nr && regs->rip == pc &&
	       (rax == RESTARTSYS || rax == RESTARTNOINTR || rax == RESTARTBLOCK);
}

bool sigframe_native(const sigframe_regs *regs, size_t len)
{
	return len == sizeof(*regs) && regs->cs == USER_CS;
}

uint64_t sigframe_sp(const sigframe_regs *regs)
{
	return regs->rsp;
}

uint64_t sigframe_pc(const sigframe_regs *regs)
{
	return regs->rip;
}

bool sigframe_at_call(const sigframe_regs *regs, const struct sigframe_code *code, long nr)
{
	return regs->rip == code->syscall_ret + 2 && (long)regs->orig_rax == nr;
}

long sigframe_call_value(const sigframe_regs *regs)
{
	return (long)regs->rax;
}

static struct seccomp_data seen(const struct user_regs_struct *regs, uint64_t ip)
{
	return (struct seccomp_data){
		.nr = (int)regs->rax,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = ip,
		.args = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9 },
	};
}

void sigframe_seccomp_data(const struct sigframe *frame, const struct sigframe_code *code,
			   const struct sigframe_fds *fds,
			   struct seccomp_data ret_calls[SIGFRAME_CALLS])
{
	uint64_t ip = code->syscall_ret + 2; /* after the `syscall` instruction */
	struct user_regs_struct closing = frame->close, back = frame->shutdown;

	closing.rdi = (unsigned long)fds->scratch_fd;
	back.rax = SYS_rt_sigreturn;
	ret_calls[0] = seen(&frame->dup, ip);
	ret_calls[1] = seen(&frame->shutdown, ip);
	ret_calls[2] = seen(&closing, ip);
	ret_calls[3] = seen(&back, code->sigreturn ? code->sigreturn_end : ip);
}
#endif
