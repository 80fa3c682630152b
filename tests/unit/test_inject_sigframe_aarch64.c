/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The bytes of the frames on arm64, as rt_sigreturn of the kernel reads them. Runs on arm64 only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "act/inject/sigframe.h"

#ifdef __aarch64__

enum {
	NR = 8,	     /* x8: the number of the call */
	RETURN = 30, /* x30 */
	VECTORS = 512,
	REGSET = VECTORS + 16, /* NT_PRFPREG */
	BTYPE = 0xc00,
	AARCH32 = 0x10,
};

/* What the kernel reads at the stack pointer. */
struct kernel_view {
	siginfo_t info;
	ucontext_t uc;
};

static struct sigframe_stop stop;
static struct sigframe frame;
static const struct sigframe_code code = { .syscall_ret = 0x1000,
					   .sigreturn = 0x2000,
					   .sigreturn_end = 0x2008 };
static const struct sigframe_fds fds = { .fd = 7, .scratch_fd = 63 };
static const struct xstate_layout layout;

static void set_stop(void)
{
	const uint32_t status[2] = { 0x10, 0x800000 }; /* fpsr, fpcr */

	memset(&stop, 0, sizeof(stop));
	for (size_t i = 0; i < VECTORS; i++)
		stop.xstate[i] = (unsigned char)(i * 7);
	memcpy(stop.xstate + VECTORS, status, sizeof(status));
	stop.xstate_len = REGSET;
	stop.sigmask = 0x8000000000000002;
	for (int i = 0; i < 31; i++)
		stop.regs.regs[i] = 100 + (uint64_t)i;
	stop.regs.regs[NR] = SYS_futex;
	stop.regs.sp = 0xfffff0001230;
	stop.regs.pc = 0x5000;
	stop.regs.pstate = 0x80000000 | BTYPE;
}

static void build(void)
{
	set_stop();
	assert_int_equal(sigframe_build(&stop, &code, &fds, &layout, &frame), 0);
}

static const struct kernel_view *view_at(uint64_t sp)
{
	return (const struct kernel_view *)(frame.bytes + (sp - frame.addr));
}

/* The thread returns to it from fcntl or shutdown. */
static const struct kernel_view *lower(void)
{
	return view_at(frame.dup.sp);
}

/* It returns to this one from close. */
static const struct kernel_view *upper(void)
{
	return view_at(lower()->uc.uc_mcontext.sp);
}

static void saves_the_registers_of_the_stop(void **state)
{
	const mcontext_t *m;

	(void)state;
	build();
	m = &upper()->uc.uc_mcontext;
	assert_memory_equal(m->regs, stop.regs.regs, sizeof(stop.regs.regs));
	assert_int_equal(m->sp, stop.regs.sp);
	assert_int_equal(m->pc, stop.regs.pc); /* the kernel has set it back to the call */
	assert_int_equal(m->pstate, stop.regs.pstate);
	assert_memory_equal(&upper()->uc.uc_sigmask, &stop.sigmask, sizeof(stop.sigmask));
}

/* Without this record the kernel refuses the frame, and the thread gets SIGSEGV. */
static void has_one_vector_record(void **state)
{
	const struct kernel_view *both[2];

	(void)state;
	build();
	both[0] = lower();
	both[1] = upper();
	for (int i = 0; i < 2; i++) {
		const struct fpsimd_context *v = (const void *)both[i]->uc.uc_mcontext.__reserved;
		const struct _aarch64_ctx *end = (const void *)(v + 1);

		assert_int_equal(v->head.magic, FPSIMD_MAGIC);
		assert_int_equal(v->head.size, sizeof(*v));
		assert_int_equal(v->fpsr, 0x10);
		assert_int_equal(v->fpcr, 0x800000);
		assert_memory_equal(v->vregs, stop.xstate, VECTORS);
		assert_int_equal(end->magic, 0);
		assert_int_equal(end->size, 0);
	}
}

static void check_call(const sigframe_regs *regs, long nr, const uint64_t arg[3], uint64_t sp)
{
	assert_int_equal(regs->pc, code.syscall_ret);
	assert_int_equal(regs->regs[NR], nr);
	assert_memory_equal(regs->regs, arg, 3 * sizeof(*arg));
	assert_int_equal(regs->regs[RETURN], code.sigreturn);
	assert_int_equal(regs->sp, sp);
	assert_int_equal(regs->sp % 16, 0);
	assert_int_equal(regs->pstate, 0x80000000);
}

static void calls_in_order(void **state)
{
	const uint64_t take[3] = { 7, F_DUPFD_CLOEXEC, 63 }, act[3] = { 63, SHUT_RD },
		       closing[3] = { 63 }, other[3] = { 64 };
	const mcontext_t *m;
	uint64_t above;

	(void)state;
	build();
	check_call(&frame.dup, SYS_fcntl, take, frame.addr);
	check_call(&frame.shutdown, SYS_shutdown, act, frame.addr);
	m = &lower()->uc.uc_mcontext;
	above = m->sp;
	assert_int_equal(m->pc, code.syscall_ret);
	assert_int_equal(m->regs[NR], SYS_close);
	assert_int_equal(m->regs[0], 63);
	assert_int_equal(m->regs[RETURN], code.sigreturn);
	assert_int_equal(*(const uint64_t *)&lower()->uc.uc_sigmask,
			 ~0ull); /* until the upper frame */
	check_call(&frame.close, SYS_close, closing, above);
	sigframe_close_other(&frame, 64);
	check_call(&frame.close, SYS_close, other, above);
	assert_int_equal(m->regs[0], 63);
}

static void stays_below_the_stack_pointer(void **state)
{
	(void)state;
	build();
	assert_true(frame.addr + frame.len <= stop.regs.sp);
	assert_int_equal(frame.addr % 16, 0);
}

static void alternate_stack_is_made_unreadable(void **state)
{
	(void)state;
	build();
	assert_int_equal(upper()->uc.uc_stack.ss_flags, 7); /* the kernel ignores the EINVAL */
	assert_int_equal(lower()->uc.uc_stack.ss_flags, 7);
	assert_int_equal(upper()->uc.uc_flags, 0);
	assert_null(upper()->uc.uc_link);
}

static void tells_seccomp_its_calls(void **state)
{
	static const int nrs[SIGFRAME_CALLS] = { SYS_fcntl, SYS_shutdown, SYS_close,
						 SYS_rt_sigreturn };
	struct seccomp_data calls[SIGFRAME_CALLS];

	(void)state;
	build();
	sigframe_seccomp_data(&frame, &code, &fds, calls);
	for (int i = 0; i < SIGFRAME_CALLS; i++) {
		assert_int_equal(calls[i].nr, nrs[i]);
		assert_int_equal(calls[i].arch, AUDIT_ARCH_AARCH64);
		assert_int_equal(calls[i].instruction_pointer, nrs[i] == SYS_rt_sigreturn
								       ? code.sigreturn_end
								       : code.syscall_ret + 4);
	}
	assert_int_equal(calls[0].args[0], 7);
	assert_int_equal(calls[0].args[2], 63);
	assert_int_equal(calls[1].args[0], 63);
	assert_int_equal(calls[2].args[0], 63);
}

/* At the same svc the kernel would take the injected call for its own restart. */
static void refuses_the_call_that_is_waited_in(void **state)
{
	(void)state;
	set_stop();
	stop.regs.pc = code.syscall_ret;
	assert_int_equal(sigframe_build(&stop, &code, &fds, &layout, &frame), -EAGAIN);
}

static void refuses_registers_it_was_not_given(void **state)
{
	(void)state;
	set_stop();
	stop.xstate_len = VECTORS;
	assert_int_equal(sigframe_build(&stop, &code, &fds, &layout, &frame), -EINVAL);
}

static void knows_calls_that_restart_unseen(void **state)
{
	(void)state;
	set_stop();
	assert_true(
		sigframe_restarts(&stop.regs, SYS_futex, 0x5004)); /* from /proc: behind the svc */
	assert_false(sigframe_restarts(&stop.regs, SYS_wait4, 0x5004));
	stop.regs.pc = 0x5004; /* not set back: the call returns */
	assert_false(sigframe_restarts(&stop.regs, SYS_futex, 0x5004));
}

static void knows_its_own_calls(void **state)
{
	(void)state;
	build();
	frame.dup.pc = code.syscall_ret + 4;
	assert_true(sigframe_at_call(&frame.dup, &code, SYS_fcntl));
	assert_false(sigframe_at_call(&frame.dup, &code, SYS_shutdown));
	assert_false(sigframe_at_call(&stop.regs, &code, SYS_futex));
}

static void tells_other_architectures(void **state)
{
	(void)state;
	set_stop();
	assert_true(sigframe_native(&stop.regs, sizeof(stop.regs)));
	assert_false(sigframe_native(&stop.regs, 72)); /* the regset of a 32-bit task */
	stop.regs.pstate |= AARCH32;
	assert_false(sigframe_native(&stop.regs, sizeof(stop.regs)));
}

/* Regsets of recent processors; include/uapi/linux/elf.h. */
static void leaves_foreign_state_alone(void **state)
{
	static const struct {
		int note;
		size_t len;
		uint64_t first;
		bool in_use;
	} cases[] = {
		{ 0x40c, 16, 16, false }, /* matrix registers: the header alone */
		{ 0x40c, 16 + 256, 272, true },
		{ 0x40f, 8, 7, false }, /* permission overlays: as a program starts */
		{ 0x40f, 8, 0x77, true },
		{ 0x410, 24, 0, false }, /* guarded control stack: features enabled */
		{ 0x410, 24, 1, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char data[512] = { 0 };
		const int *note = sigframe_unsupported_regsets;

		while (*note && *note != cases[i].note)
			note++;
		assert_int_equal(*note, cases[i].note);
		memcpy(data, &cases[i].first, sizeof(cases[i].first));
		assert_int_equal(sigframe_regset_in_use(*note, data, cases[i].len),
				 cases[i].in_use);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(saves_the_registers_of_the_stop),
		cmocka_unit_test(has_one_vector_record),
		cmocka_unit_test(calls_in_order),
		cmocka_unit_test(stays_below_the_stack_pointer),
		cmocka_unit_test(alternate_stack_is_made_unreadable),
		cmocka_unit_test(tells_seccomp_its_calls),
		cmocka_unit_test(refuses_the_call_that_is_waited_in),
		cmocka_unit_test(refuses_registers_it_was_not_given),
		cmocka_unit_test(knows_calls_that_restart_unseen),
		cmocka_unit_test(knows_its_own_calls),
		cmocka_unit_test(tells_other_architectures),
		cmocka_unit_test(leaves_foreign_state_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
#include <stdio.h>

int main(void)
{
	puts("this is not arm64");
	return 77;
}
#endif
