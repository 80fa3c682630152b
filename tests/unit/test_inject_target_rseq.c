/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread inside a restartable sequence is not touched: the kernel would not restart the sequence.
 * Needs root, and a C library that registers with the kernel (glibc 2.35).
 */
#include "inject_child.h"

#if defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>

/*
 * Two sequences that a thread never leaves: one in user mode, and one around a futex (no program
 * makes a call inside one; a thread seen to wait is how a moment inside one can be met each time).
 * When the kernel aborts it, which it does after each time the thread was off its processor, the
 * thread enters it again.
 */

/* The section is from 11 to 12; the kernel jumps to 13 when it aborts it, which enters it again. */
#define ENTER                                                                                      \
	".pushsection .data.rel.ro.rseq, \"aw\"\n"                                                 \
	".balign 32\n"                                                                             \
	"10: .long 0, 0\n"                                                                         \
	".quad 11f, 12f - 11f, 13f\n"                                                              \
	".popsection\n"                                                                            \
	"jmp 13f\n"                                                                                \
	".long %c[signature]\n"                                                                    \
	"13: leaq 10b(%%rip), %%rax\n"                                                             \
	"movq %%rax, %[section]\n"                                                                 \
	"11: "

static void run_inside(struct rseq *rseq)
{
	__asm__ volatile(ENTER "pause\n"
			       "jmp 11b\n"
			       "12:\n"
			 : [section] "=m"(rseq->rseq_cs)
			 : [signature] "i"(RSEQ_SIG)
			 : "rax", "memory");
}

static void wait_inside(struct rseq *rseq)
{
	static uint32_t word;
	register long timeout __asm__("r10") = 0;

	__asm__ volatile(ENTER "movl %[nr], %%eax\n"
			       "syscall\n"
			       "jmp 11b\n"
			       "12:\n"
			 : [section] "=m"(rseq->rseq_cs)
			 : [signature] "i"(RSEQ_SIG), [nr] "i"(SYS_futex), "D"(&word),
			   "S"(FUTEX_WAIT_PRIVATE), "d"(0), "r"(timeout)
			 : "rax", "rcx", "r11", "memory");
}

static struct rseq *own_rseq(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void body_run_inside(int link, int ready)
{
	(void)link;
	say_ready(ready);
	run_inside(own_rseq());
}

static void body_wait_inside(int link, int ready)
{
	(void)link;
	say_ready(ready);
	wait_inside(own_rseq());
}

static void body_run_inside_beside_another(int link, int ready)
{
	(void)link;
	start_thread(NULL, ready);
	run_inside(own_rseq());
}

static void body_wait_inside_beside_another(int link, int ready)
{
	(void)link;
	start_thread(NULL, ready);
	wait_inside(own_rseq());
}

static void need_rseq(void)
{
	if (__rseq_size == 0) /* off in the kernel or in the C library */
		skip();
}

/* In user mode: never chosen. */
static void running_inside(void **state)
{
	struct tcp_child child;

	(void)state;
	need_rseq();
	child = child_start(body_run_inside);
	refused_then_copied(&child, INJECT_R_NO_THREAD);
	child_end(&child);
}

/* In a system call that would be chosen otherwise: seen at the stop, and detached. */
static void waiting_inside(void **state)
{
	struct tcp_child child;

	(void)state;
	need_rseq();
	child = child_start(body_wait_inside);
	await_state(child.pid, 'S');
	refused_then_copied(&child, INJECT_R_RSEQ);
	await_state(child.pid, 'S');
	child_end(&child);
}

static void another_thread_is_taken(void **state)
{
	static child_body *const bodies[] = { body_run_inside_beside_another,
					      body_wait_inside_beside_another };

	(void)state;
	need_rseq();
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct tcp_child child = child_start(bodies[i]);
		struct inject_request t = request_of(&child);
		struct inject_result res = inject(&t, INJECT_PTRACE);

		assert_reason(res, INJECT_DONE, INJECT_R_NONE);
		assert_int_not_equal(res.tid, child.pid);
		child_end(&child);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_inside),
		cmocka_unit_test(waiting_inside),
		cmocka_unit_test(another_thread_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return 0;
}
#endif
