/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parsing of waits and maps in /proc; which thread, stack and program can be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "act/inject/program_arch.h"
#include "act/inject/thread_choice.h"
#include "act/inject/tracee_maps.h"

static int rank_of(const char *line)
{
	struct thread_wait w;

	assert_int_equal(thread_wait_parse(line, &w), 0);
	return thread_wait_rank(&w);
}

#define CALL(nr, a1, a3) #nr " 0x7f00 " a1 " 0x1 " a3 " 0x0 0xffffffff 0x7ffd0008 0x7f1234\n"

static void wait_lines(void **state)
{
	struct thread_wait w;

	(void)state;
	assert_int_equal(thread_wait_parse("202 0x1 0x80 0x3 0x4 0x5 0x6 0x7ffd 0x7f12\n", &w), 0);
	assert_true(w.in_call);
	assert_int_equal(w.nr, 202);
	assert_int_equal(w.arg[0], 1);
	assert_int_equal(w.arg[5], 6);
	assert_int_equal(w.sp, 0x7ffd);
	assert_int_equal(w.pc, 0x7f12);
	assert_int_equal(thread_wait_parse("running\n", &w), 0);
	assert_false(w.in_call);
	assert_int_equal(thread_wait_parse("-1 0x7ffd 0x7f12\n", &w), 0);
	assert_false(w.in_call);
	assert_int_equal(thread_wait_parse("202 0x1 0x80\n", &w), -EPROTO);
	assert_int_equal(thread_wait_parse("", &w), -EPROTO);
}

#ifdef __x86_64__
static void ranks(void **state)
{
	(void)state;
	assert_int_equal(rank_of(CALL(202, "0x80", "0x0")), 0);	 /* WAIT_PRIVATE, no timeout */
	assert_int_equal(rank_of(CALL(202, "0x189", "0x0")), 0); /* WAIT_BITSET, real time clock */
	assert_int_equal(rank_of(CALL(202, "0x89", "0x7f")), 2); /* … absolute time */
	assert_int_equal(rank_of(CALL(202, "0x86", "0x0")), 1);	 /* LOCK_PI */
	assert_int_equal(rank_of(CALL(202, "0x8d", "0x0")), 1);	 /* LOCK_PI2 */
	assert_int_equal(rank_of(CALL(202, "0x80", "0x7f")), THREAD_RANK_NEVER); /* relative */
	assert_int_equal(rank_of(CALL(202, "0x8b", "0x0")),
			 THREAD_RANK_NEVER);		      /* WAIT_REQUEUE_PI */
	assert_int_equal(rank_of(CALL(61, "0x0", "0x0")), 1); /* wait4 */
	static const char *const never[] = {
		CALL(232, "0x0", "0xffffffff"), /* epoll_wait */
		CALL(281, "0x0", "0x0"),	/* epoll_pwait */
		CALL(0, "0x0", "0x0"),		/* read: a receive timeout cannot be seen */
		CALL(45, "0x0", "0x0"),		/* recvfrom */
		CALL(1, "0x0", "0x0"),		/* write: short count */
		CALL(130, "0x8", "0x0"),	/* rt_sigsuspend */
		CALL(271, "0x1", "0x0"),	/* ppoll */
		CALL(128, "0x0", "0x0"),	/* rt_sigtimedwait */
		CALL(219, "0x0", "0x0"),	/* restart_syscall */
		CALL(35, "0x0", "0x0"),		/* nanosleep */
		CALL(65, "0x0", "0x0"),		/* semop */
		"running\n",
		"-1 0x7ffd0008 0x7f1234\n",
	};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(rank_of(never[i]), THREAD_RANK_NEVER);
}
#endif

static void same_wait(void **state)
{
	struct thread_wait a, b;

	(void)state;
	thread_wait_parse(CALL(202, "0x80", "0x0"), &a);
	b = a;
	assert_true(thread_wait_same(&a, &b));
	b.arg[2]++; /* the value waited for: another wait on the same word */
	assert_false(thread_wait_same(&a, &b));
	b = a;
	b.sp -= 8;
	assert_false(thread_wait_same(&a, &b));
	a.in_call = b.in_call = false;
	assert_false(thread_wait_same(&a, &b));
}

static void map_lines(void **state)
{
	static const struct {
		const char *line;
		uint32_t flags;
	} cases[] = {
		{ "7f10000-7f20000 r-xp 00001000 fe:01 1234                       "
		  "/usr/lib/libc.so.6",
		  AREA_READ | AREA_EXEC | AREA_FILE | AREA_LIBC },
		{ "7f10000-7f20000 r-xp 00001000 fe:01 1234                       /a b (deleted)",
		  AREA_READ | AREA_EXEC | AREA_FILE },
		{ "7f10000-7f20000 r-xs 00001000 00:05 9                          /memfd:jit "
		  "(deleted)",
		  AREA_READ | AREA_EXEC | AREA_FILE | AREA_SHARED },
		{ "7f10000-7f20000 ---p 00000000 00:00 0 ", 0 },
		{ "7f10000-7f20000 ---p 00000000 00:00 0", 0 },
		{ "7f10000-7f20000 rw-p 00000000 00:00 0                          [stack]",
		  AREA_READ | AREA_WRITE | AREA_STACK },
		{ "7f10000-7f20000 r-xp 00000000 00:00 0                          [vdso]",
		  AREA_READ | AREA_EXEC | AREA_VDSO },
		{ "7f10000-7f20000 --xp 00000000 00:00 0                          [vsyscall]",
		  AREA_EXEC },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tracee_area area = { 0 };

		assert_int_equal(tracee_area_parse(cases[i].line, &area), 0);
		assert_int_equal(area.start, 0x7f10000);
		assert_int_equal(area.end, 0x7f20000);
		assert_int_equal(area.flags, cases[i].flags);
	}
	struct tracee_area area;

	assert_int_equal(tracee_area_parse(cases[0].line, &area), 0);
	assert_int_equal(area.offset, 0x1000);
	assert_int_equal(area.device, 0xfe00000001);
	assert_int_equal(area.inode, 1234);
	assert_int_equal(tracee_area_parse("7f10000-7f20000 rw-p", &area), -EPROTO);
	assert_int_equal(tracee_area_parse("", &area), -EPROTO);
}

static struct tracee_maps *maps_of(const struct tracee_area *areas, size_t n)
{
	struct tracee_maps *maps = calloc(1, sizeof(*maps));

	memcpy(maps->area, areas, n * sizeof(*areas));
	maps->n = n;
	return maps;
}

static int stack_at(const struct tracee_maps *maps, uint64_t sp, uint64_t guard, bool idle,
		    struct tracee_stack *ret)
{
	const struct tracee_thread thread = { .sp = sp, .guard = guard, .idle = idle };

	return tracee_maps_stack(maps, &thread, ret);
}

static void stacks(void **state)
{
	static const struct tracee_area areas[] = {
		{ .start = 0x10000,
		  .end = 0x20000,
		  .flags = AREA_READ | AREA_WRITE },		  /* heap: unknown lower end */
		{ .start = 0x30000, .end = 0x31000, .flags = 0 }, /* guard */
		{ .start = 0x31000,
		  .end = 0x50000,
		  .flags = AREA_READ | AREA_WRITE }, /* a thread's stack */
		{ .start = 0x50000,
		  .end = 0x60000,
		  .flags = AREA_READ | AREA_WRITE }, /* right above a stack */
		{ .start = 0x70000, .end = 0x71000, .flags = 0 },
		{ .start = 0x71000,
		  .end = 0x80000,
		  .flags = AREA_READ | AREA_WRITE | AREA_FILE }, /* a file mapped */
		{ .start = 0xc000000000,
		  .end = 0xc000400000,
		  .flags = AREA_READ | AREA_WRITE }, /* Go's heap */
		{ .start = 0x7fc012000000, .end = 0x7fc012400000, .flags = AREA_READ | AREA_WRITE },
		{ .start = 0x7ffd00000000,
		  .end = 0x7ffd00021000,
		  .flags = AREA_READ | AREA_WRITE | AREA_STACK },
	};
	struct tracee_maps *maps = maps_of(areas, sizeof(areas) / sizeof(areas[0]));
	struct tracee_thread thread;
	struct tracee_stack stack;

	(void)state;
	assert_int_equal(stack_at(maps, 0x18000, 0, true, &stack), -ENOTSUP);
	assert_int_equal(stack_at(maps, 0x4f000, 0, true, &stack), 0);
	assert_int_equal(stack.low, 0x31000 + 8192);
	assert_false(stack.small);
	assert_int_equal(stack_at(maps, 0x50000, 0, false, &stack), 0); /* the top of the stack */
	assert_int_equal(stack_at(maps, 0x58000, 0, true, &stack), -ENOTSUP);
	assert_int_equal(stack_at(maps, 0x78000, 0, true, &stack), -ENOTSUP);
	assert_int_equal(stack_at(maps, 0x30800, 0, true, &stack), -ENOTSUP);
	assert_int_equal(stack_at(maps, 0x28000, 0, true, &stack), -ENOTSUP); /* in no area */
	assert_int_equal(stack_at(maps, 0xc000200000, 0, true, &stack), 0);
	assert_int_equal(stack.low, 0xc000200000 - 4096);
	assert_true(stack.small);
	/* a goroutine in a system call other than the futex of the scheduler */
	assert_int_equal(stack_at(maps, 0xc000200000, 0, false, &stack), -ENOTSUP);
	assert_int_equal(stack_at(maps, 0x7fc012200000, 0, true, &stack), -ENOTSUP);
	assert_int_equal(stack_at(maps, 0x7ffd00020000, 0, false, &stack), 0);
	assert_int_equal(stack.low, 0x7ffd00000000 + 8192);
	/* the TCB is at the top of a thread's own stack, not of a fiber's */
	thread = (struct tracee_thread){ .sp = 0x4f000, .tcb = 0x4fa00 };
	assert_int_equal(tracee_maps_stack(maps, &thread, &stack), 0);
	thread.tcb = 0x5fa00;
	assert_int_equal(tracee_maps_stack(maps, &thread, &stack), -ENOTSUP);
	thread.tcb = 0x4e000;
	assert_int_equal(tracee_maps_stack(maps, &thread, &stack), -ENOTSUP);
	/* [stack]: the TCB of the first thread is elsewhere */
	thread.sp = 0x7ffd00020000;
	assert_int_equal(tracee_maps_stack(maps, &thread, &stack), 0);
	/* a guard inside the area is the lower end */
	assert_int_equal(stack_at(maps, 0x18000, 0x14000, false, &stack), 0);
	assert_int_equal(stack.low, 0x14000 + 8192);
	assert_int_equal(stack_at(maps, 0x4f000, 0x40000, true, &stack), 0);
	assert_int_equal(stack.low, 0x40000 + 8192);
	assert_int_equal(stack_at(maps, 0x78000, 0x72000, true, &stack), -ENOTSUP);
	free(maps);
}

static void program_heads(void **state)
{
	static const struct {
		unsigned char class;
		uint16_t machine;
		bool foreign;
	} cases[] = {
#ifdef __x86_64__
		{ ELFCLASS64, EM_X86_64, false },
		{ ELFCLASS64, EM_AARCH64, true },
		{ ELFCLASS32, EM_386, true },
		{ ELFCLASS32, EM_X86_64, true }, /* x32 */
#else
		{ ELFCLASS64, EM_AARCH64, false },
		{ ELFCLASS64, EM_X86_64, true },
		{ ELFCLASS32, EM_ARM, true },
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Elf64_Ehdr head = { .e_ident = { 0x7f, 'E', 'L', 'F', cases[i].class },
				    .e_machine = cases[i].machine };

		assert_int_equal(program_is_foreign(&head, sizeof(head)), cases[i].foreign);
		assert_false(program_is_foreign(&head, 19)); /* too short to know */
		head.e_ident[0] = '#';
		assert_false(program_is_foreign(&head, sizeof(head)));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait_lines),
#ifdef __x86_64__
		cmocka_unit_test(ranks),
#endif
		cmocka_unit_test(same_wait),  cmocka_unit_test(map_lines),
		cmocka_unit_test(stacks),     cmocka_unit_test(program_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
