/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The bytes of the frames, as rt_sigreturn of the kernel reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "act/inject/sigframe.h"

#ifdef __x86_64__

enum { AVX = 2, PKRU = 9, TILES = 18, HEADER = 512 };

/* Sizes of a processor with AVX-512, PKRU and AMX. */
static const struct xstate_layout big = {
	.end = { [2] = 832,
		 [5] = 1152,
		 [6] = 1664,
		 [7] = 2688,
		 [9] = 2696,
		 [17] = 2816,
		 [18] = 11008 },
};
static const struct xstate_layout avx_only = { .end = { [2] = 832 } };

/* What the kernel reads: the return address, then a ucontext. */
struct kernel_view {
	uint64_t ret;
	ucontext_t uc;
};

static struct sigframe_stop stop;
static struct sigframe frame;
static const struct sigframe_code code = { .syscall_ret = 0x1000,
					   .sigreturn = 0x2000,
					   .sigreturn_end = 0x2009 };
static const struct sigframe_fds fds = { .fd = 7, .scratch_fd = 63 };

static void set_stop(uint64_t xstate_bv, size_t xstate_len)
{
	memset(&stop, 0, sizeof(stop));
	for (size_t i = 0; i < sizeof(stop.xstate); i++)
		stop.xstate[i] = (unsigned char)(i * 7);
	memcpy(stop.xstate + HEADER, &xstate_bv, sizeof(xstate_bv));
	stop.xstate_len = xstate_len;
	stop.sigmask = 0x8000000000000002;
	stop.regs = (sigframe_regs){
		.r15 = 15,
		.r14 = 14,
		.r13 = 13,
		.r12 = 12,
		.rbp = 5,
		.rbx = 3,
		.r11 = 11,
		.r10 = 10,
		.r9 = 9,
		.r8 = 8,
		.rax = (unsigned long)-512,
		.rcx = 2,
		.rdx = 4,
		.rsi = 6,
		.rdi = 1,
		.orig_rax = SYS_futex,
		.rip = 0x5002,
		.cs = 0x33,
		.eflags = 0x246 | 0x40500,
		.rsp = 0x7ffd00001238,
		.ss = 0x2b,
		.fs_base = 0x77,
		.gs_base = 0x88,
	};
}

/* The lower frame: the thread returns to it from fcntl or shutdown. */
static struct kernel_view *lower_view(void)
{
	return (struct kernel_view *)(frame.bytes + (frame.dup.rsp - frame.addr));
}

/* The upper frame: it returns to this one from close. */
static struct kernel_view *view(void)
{
	uint64_t slot = (uint64_t)lower_view()->uc.uc_mcontext.gregs[REG_RSP];

	return (struct kernel_view *)(frame.bytes + (slot - frame.addr));
}

static uint32_t u32_at(const unsigned char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static const unsigned char *fpstate(void)
{
	return frame.bytes + ((uint64_t)view()->uc.uc_mcontext.fpregs - frame.addr);
}

static void saves_the_registers_and_restarts_the_call(void **state)
{
	const greg_t *g;

	(void)state;
	set_stop(7, 832);
	assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
	g = view()->uc.uc_mcontext.gregs;
	assert_int_equal(view()->ret, code.sigreturn);
	assert_int_equal(g[REG_R8], 8);
	assert_int_equal(g[REG_R15], 15);
	assert_int_equal(g[REG_RDI], 1);
	assert_int_equal(g[REG_RSI], 6);
	assert_int_equal(g[REG_RBP], 5);
	assert_int_equal(g[REG_RBX], 3);
	assert_int_equal(g[REG_RDX], 4);
	assert_int_equal(g[REG_RCX], 2);
	assert_int_equal(g[REG_RSP], 0x7ffd00001238);
	assert_int_equal(g[REG_RAX], SYS_futex);
	assert_int_equal(g[REG_RIP], 0x5000);
	assert_int_equal(g[REG_EFL], stop.regs.eflags);
	assert_int_equal(g[REG_CSGSFS], 0x002b000000000033);
	assert_memory_equal(&view()->uc.uc_sigmask, &stop.sigmask, sizeof(stop.sigmask));
}

static void restart_only_where_the_kernel_would(void **state)
{
	static const struct {
		long rax, orig_rax, saved_rax;
		uint64_t saved_rip;
	} cases[] = {
		{ -512, SYS_futex, SYS_futex, 0x5000 },
		{ -513, SYS_futex, SYS_futex, 0x5000 },
		{ -514, SYS_pause, SYS_pause, 0x5000 },
		{ -516, SYS_nanosleep, SYS_nanosleep, 0x5000 },
		{ -EINTR, SYS_epoll_wait, -EINTR, 0x5002 },
		{ -515, SYS_futex, -515, 0x5002 },
		{ 0, SYS_futex, 0, 0x5002 },
		{ -512, -1, -512, 0x5002 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_stop(7, 832);
		stop.regs.rax = (unsigned long)cases[i].rax;
		stop.regs.orig_rax = (unsigned long)cases[i].orig_rax;
		assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
		assert_int_equal(view()->uc.uc_mcontext.gregs[REG_RAX], cases[i].saved_rax);
		assert_int_equal(view()->uc.uc_mcontext.gregs[REG_RIP], cases[i].saved_rip);
	}
}

static void check_call(const sigframe_regs *regs, long nr, uint64_t first, uint64_t second)
{
	assert_int_equal(regs->rip, code.syscall_ret);
	assert_int_equal(regs->rax, nr);
	assert_int_equal(regs->rdi, first);
	assert_int_equal(regs->rsi, second);
	assert_int_equal(regs->orig_rax, (unsigned long)-1);
	assert_int_equal(regs->eflags, 0x246);
	assert_int_equal(regs->fs_base, 0x77);
	assert_int_equal(regs->gs_base, 0x88);
	assert_int_equal(regs->rsp, frame.addr);
	assert_int_equal(regs->rsp % 16, 8); /* as after a call: the kernel's frame alignment */
}

/* It duplicates the descriptor, shuts that down only by registers of its own, and always closes it.
 */
static void calls_in_order(void **state)
{
	const greg_t *g;

	(void)state;
	set_stop(7, 832);
	assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
	check_call(&frame.dup, SYS_fcntl, 7, F_DUPFD_CLOEXEC);
	assert_int_equal(frame.dup.rdx, 63);
	check_call(&frame.shutdown, SYS_shutdown, 63, SHUT_RD);
	assert_int_equal(lower_view()->ret, code.sigreturn);
	g = lower_view()->uc.uc_mcontext.gregs;
	assert_int_equal(g[REG_RIP], code.syscall_ret);
	assert_int_equal(g[REG_RAX], SYS_close);
	assert_int_equal(g[REG_RDI], 63);
	assert_int_equal(g[REG_EFL], 0x246);
	assert_int_equal(g[REG_CSGSFS], 0x002b000000000033);
	assert_int_equal(*(uint64_t *)&lower_view()->uc.uc_sigmask,
			 ~0ull); /* until the upper frame */
	assert_ptr_equal(lower_view()->uc.uc_mcontext.fpregs, view()->uc.uc_mcontext.fpregs);
	assert_int_equal(lower_view()->uc.uc_stack.ss_flags, 7);
}

/* Another number is closed by registers that skip the lower frame and return to the upper one. */
static void closes_another_number(void **state)
{
	(void)state;
	set_stop(7, 832);
	assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
	sigframe_close_other(&frame, 64);
	assert_int_equal(frame.close.rip, code.syscall_ret);
	assert_int_equal(frame.close.rax, SYS_close);
	assert_int_equal(frame.close.rdi, 64);
	assert_int_equal(frame.close.orig_rax, (unsigned long)-1);
	assert_int_equal(frame.close.rsp, lower_view()->uc.uc_mcontext.gregs[REG_RSP]);
	assert_int_equal(lower_view()->uc.uc_mcontext.gregs[REG_RDI], 63);
}

/* What a filter sees: all four system calls, with the address of each. */
static void tells_seccomp_its_calls(void **state)
{
	static const int nrs[SIGFRAME_CALLS] = { SYS_fcntl, SYS_shutdown, SYS_close,
						 SYS_rt_sigreturn };
	struct seccomp_data calls[SIGFRAME_CALLS];

	(void)state;
	set_stop(7, 832);
	assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
	sigframe_seccomp_data(&frame, &code, &fds, calls);
	for (int i = 0; i < SIGFRAME_CALLS; i++) {
		assert_int_equal(calls[i].nr, nrs[i]);
		assert_int_equal(calls[i].arch, AUDIT_ARCH_X86_64);
		assert_int_equal(calls[i].instruction_pointer, nrs[i] == SYS_rt_sigreturn
								       ? code.sigreturn_end
								       : code.syscall_ret + 2);
	}
	assert_int_equal(calls[0].args[0], 7);
	assert_int_equal(calls[0].args[2], 63);
	assert_int_equal(calls[1].args[0], 63);
	assert_int_equal(calls[2].args[0], 63);
}

static void leaves_the_red_zone_and_what_is_above(void **state)
{
	(void)state;
	for (uint64_t shift = 0; shift < 64; shift += 8) {
		set_stop(7, 832);
		stop.regs.rsp += shift;
		assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
		assert_true(frame.addr + frame.len <= stop.regs.rsp - 128);
		assert_int_equal((uint64_t)view()->uc.uc_mcontext.fpregs % 64, 0);
	}
}

static void alternate_stack_is_made_unreadable(void **state)
{
	(void)state;
	set_stop(7, 832);
	assert_int_equal(sigframe_build(&stop, &code, &fds, &avx_only, &frame), 0);
	assert_int_equal(view()->uc.uc_stack.ss_flags, 7); /* the kernel ignores the EINVAL */
	assert_null(view()->uc.uc_link);
	assert_int_equal(view()->uc.uc_flags, 7);
}

/* Extended state of every size. */
static void names_the_state_the_thread_uses(void **state)
{
	static const struct {
		const struct xstate_layout *layout;
		uint64_t bv, features;
		size_t regset, need;
	} cases[] = {
		{ &avx_only, 0, 3, 832, 576 },		  /* all initial */
		{ &avx_only, 3, 3, 832, 576 },		  /* SSE */
		{ &avx_only, 7, 7, 832, 832 },		  /* AVX */
		{ &big, 3, 0x203, 11008, 2696 },	  /* PKRU always */
		{ &big, 0xe7, 0x2e7, 11008, 2696 },	  /* AVX-512 */
		{ &big, 0x602e7, 0x602e7, 11008, 11008 }, /* AMX */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const unsigned char *x;
		uint64_t features;

		set_stop(cases[i].bv, cases[i].regset);
		assert_int_equal(sigframe_build(&stop, &code, &fds, cases[i].layout, &frame), 0);
		x = fpstate();
		assert_int_equal(u32_at(x + 464), 0x46505853);
		assert_int_equal(u32_at(x + 468), cases[i].need + 4);
		memcpy(&features, x + 472, sizeof(features));
		assert_int_equal(features, cases[i].features);
		assert_int_equal(u32_at(x + 480), cases[i].need);
		assert_int_equal(u32_at(x + cases[i].need), 0x46505845);
		assert_memory_equal(x, stop.xstate, 464);
		assert_memory_equal(x + HEADER, stop.xstate + HEADER, cases[i].need - HEADER);
		for (size_t j = 484; j < HEADER; j++)
			assert_int_equal(x[j], 0);
	}
}

static void refuses_state_it_does_not_know(void **state)
{
	(void)state;
	set_stop(1ull << 30 | 3, 11008);
	assert_int_equal(sigframe_build(&stop, &code, &fds, &big, &frame), -E2BIG);
	set_stop(0x602e7, 2696); /* tiles in XSTATE_BV but not in the regset */
	assert_int_equal(sigframe_build(&stop, &code, &fds, &big, &frame), -E2BIG);
	set_stop(3, 512); /* no header: FXSAVE only */
	assert_int_equal(sigframe_build(&stop, &code, &fds, &big, &frame), -EINVAL);
}

/* Without instructions for rt_sigreturn: pop the number, then `syscall; ret` once more. */
static void chains_over_a_pop(void **state)
{
	static const struct sigframe_code popping = { .syscall_ret = 0x1000, .pop_nr = 0x3000 };
	const struct kernel_view *lower;
	uint64_t slots[3], entry;

	(void)state;
	set_stop(7, 832);
	assert_int_equal(sigframe_build(&stop, &popping, &fds, &avx_only, &frame), 0);
	assert_int_equal(frame.dup.rsp, frame.addr);
	memcpy(slots, frame.bytes, sizeof(slots));
	assert_int_equal(slots[0], popping.pop_nr);
	assert_int_equal(slots[1], SYS_rt_sigreturn);
	assert_int_equal(slots[2], popping.syscall_ret);
	/* after both returns and the pop, the kernel reads the frame at rsp - 8 */
	lower = (const struct kernel_view *)(frame.bytes + 16);
	assert_int_equal(lower->uc.uc_flags, 7);
	entry = (uint64_t)lower->uc.uc_mcontext.gregs[REG_RSP] - frame.addr;
	memcpy(slots, frame.bytes + entry, sizeof(slots));
	assert_int_equal(slots[0], popping.pop_nr);
	assert_int_equal(slots[1], SYS_rt_sigreturn);
	assert_int_equal(slots[2], popping.syscall_ret);
	assert_int_equal(((const struct kernel_view *)(frame.bytes + entry + 16))->uc.uc_flags, 7);
}

static void knows_calls_that_restart_unseen(void **state)
{
	(void)state;
	set_stop(7, 832);
	assert_true(sigframe_restarts(&stop.regs, SYS_futex, 0x5002));
	assert_false(sigframe_restarts(&stop.regs, SYS_wait4, 0x5002));
	assert_false(
		sigframe_restarts(&stop.regs, SYS_futex, 0x6002)); /* the same call, elsewhere */
	stop.regs.rax = (unsigned long)-514; /* ends with EINTR if a handler has run */
	assert_false(sigframe_restarts(&stop.regs, SYS_futex, 0x5002));
	stop.regs.rax = (unsigned long)-EINTR;
	assert_false(sigframe_restarts(&stop.regs, SYS_futex, 0x5002));
	stop.regs.rax = 0;
	assert_false(sigframe_restarts(&stop.regs, SYS_futex, 0x5002));
}

static void tells_other_architectures(void **state)
{
	(void)state;
	set_stop(7, 832);
	assert_true(sigframe_native(&stop.regs, sizeof(stop.regs)));
	assert_false(sigframe_native(&stop.regs, 68)); /* i386 regset */
	stop.regs.cs = 0x23;
	assert_false(sigframe_native(&stop.regs, sizeof(stop.regs)));
}

/* On this processor: its XSAVE area must not be larger than the layout. */
static void reads_the_processors_layout(void **state)
{
	struct xstate_layout layout;
	uint32_t last = 0;

	(void)state;
	xstate_layout_read(&layout);
	for (int i = 2; i < SIGFRAME_COMPONENTS; i++)
		if (layout.end[i] > last)
			last = layout.end[i];
	if (__builtin_cpu_supports("avx"))
		assert_int_equal(layout.end[AVX], 832);
	assert_true(last <= SIGFRAME_XSTATE_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(saves_the_registers_and_restarts_the_call),
		cmocka_unit_test(restart_only_where_the_kernel_would),
		cmocka_unit_test(calls_in_order),
		cmocka_unit_test(closes_another_number),
		cmocka_unit_test(tells_seccomp_its_calls),
		cmocka_unit_test(leaves_the_red_zone_and_what_is_above),
		cmocka_unit_test(alternate_stack_is_made_unreadable),
		cmocka_unit_test(names_the_state_the_thread_uses),
		cmocka_unit_test(refuses_state_it_does_not_know),
		cmocka_unit_test(chains_over_a_pop),
		cmocka_unit_test(knows_calls_that_restart_unseen),
		cmocka_unit_test(tells_other_architectures),
		cmocka_unit_test(reads_the_processors_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return 0;
}
#endif
