/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * On which stacks frames can be written, and how they are written. Needs root.
 */
#include "inject_child.h"

#include <ucontext.h>

#include "act/inject/sigframe.h"
#include "act/inject/thread_choice.h"
#include "act/inject/tracee_mem.h"

#ifndef MADV_GUARD_INSTALL /* Linux 6.13 */
#define MADV_GUARD_INSTALL 102
#endif

enum { PAGE = 4096, STACK = 1 << 20 };

/* ---- what the kernel knows of a page ---- */

#define PAGE_GUARD     (1ull << 58) /* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_EXCLUSIVE (1ull << 56)
#define PAGE_PRESENT   (1ull << 63)

static uint64_t page_bits(pid_t pid, const void *at)
{
	char path[32];
	uint64_t bits = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &bits, sizeof(bits), (off_t)((uintptr_t)at / PAGE * 8)), 8);
	close(fd);
	return bits;
}

static char *memory(size_t size)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		_exit(1);
	return at;
}

/* Whether this kernel has such guards, and shows them. */
static bool guards_exist(bool *ret_seen)
{
	char *page = memory(PAGE);
	bool made = madvise(page, PAGE, MADV_GUARD_INSTALL) == 0;

	*ret_seen = made && page_bits(getpid(), page) & PAGE_GUARD;
	munmap(page, PAGE);
	return made;
}

/* ---- threads on stacks of their own ---- */

static _Atomic pid_t thread_id;

static void *wait_for(void *word)
{
	thread_id = gettid();
	while (*(_Atomic uint32_t *)word == 0)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL);
	return NULL;
}

/* Starts a thread that waits until *word is not 0. Returns where its stack pointer then is. */
static char *wait_on(char *stack, size_t size, uint32_t *word, pthread_t *ret)
{
	struct thread_wait wait;
	pthread_attr_t attr;

	thread_id = 0;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, size);
	if (pthread_create(ret, &attr, wait_for, word) != 0)
		_exit(1);
	while (!thread_id || thread_wait_read(getpid(), thread_id, &wait) < 0 || !wait.in_call ||
	       wait.nr != SYS_futex)
		sched_yield();
	return (char *)wait.sp;
}

static char *page_of(char *at)
{
	return (char *)((uintptr_t)at & ~(uintptr_t)(PAGE - 1));
}

/* A stack with an unknown lower end: memory between other memory. */
static char *odd_stack(void)
{
	char *at = memory(2 * STACK);

	mprotect(at, PAGE, PROT_READ); /* what is below is no guard */
	return at + STACK;
}

/* As C libraries have long made them: a page without access below. */
static char *stack_with_guard(void)
{
	char *at = memory(PAGE + STACK);

	mprotect(at, PAGE, PROT_NONE);
	return at + PAGE;
}

static uint32_t never;

static void ready_and_wait(int ready)
{
	say_ready(ready);
	poll(NULL, 0, -1);
}

static void body_odd_stack(int link, int ready)
{
	pthread_t thread;

	(void)link;
	wait_on(odd_stack(), STACK, &never, &thread);
	ready_and_wait(ready);
}

static void stack_of_unknown_end(void **state)
{
	struct tcp_child child = child_start(body_odd_stack);

	(void)state;
	refused_then_copied(&child, INJECT_R_STACK);
	child_end(&child);
}

/* As glibc 2.42 makes them: the guard is inside the mapping. */
static void body_guard_inside(int link, int ready)
{
	char *stack = odd_stack();
	pthread_t thread;

	(void)link;
	madvise(stack, PAGE, MADV_GUARD_INSTALL);
	wait_on(stack + PAGE, STACK - PAGE, &never, &thread);
	ready_and_wait(ready);
}

static void guard_inside_the_mapping(void **state)
{
	struct inject_request t;
	struct inject_result res;
	struct tcp_child child;
	bool seen;

	(void)state;
	if (!guards_exist(&seen))
		skip();
	child = child_start(body_guard_inside);
	t = request_of(&child);
	if (seen) {
		res = inject(&t, INJECT_PTRACE);
		assert_reason(res, INJECT_DONE, INJECT_R_NONE);
		assert_int_not_equal(res.tid, child.pid);
	} else {
		refused_then_copied(&child, INJECT_R_STACK);
	}
	child_end(&child);
}

/* There is room for the frames, but not for a signal handler below them. */
static void body_near_guard(int link, int ready)
{
	enum { ROOM = 5000 };
	pthread_t thread;
	char *sp = wait_on(stack_with_guard(), STACK, &never, &thread);

	(void)link;
	madvise(page_of(sp - ROOM) - PAGE, PAGE, MADV_GUARD_INSTALL);
	ready_and_wait(ready);
}

static void too_near_a_guard_inside(void **state)
{
	struct tcp_child child;
	bool seen;

	(void)state;
	if (!guards_exist(&seen) || !seen)
		skip();
	child = child_start(body_near_guard);
	refused_then_copied(&child, INJECT_R_STACK);
	child_end(&child);
}

/* A fiber on a part of glibc's heap, right above the unused end of another heap. */
static ucontext_t fiber, thread_itself;

static void wait_as_fiber(void)
{
	thread_id = gettid();
	wait_forever();
}

static void *become_a_fiber(void *stack)
{
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = stack;
	fiber.uc_stack.ss_size = STACK;
	makecontext(&fiber, wait_as_fiber, 0);
	swapcontext(&thread_itself, &fiber);
	return NULL;
}

static void body_fiber(int link, int ready)
{
	pthread_t thread;

	(void)link;
	if (pthread_create(&thread, NULL, become_a_fiber, stack_with_guard()) != 0)
		_exit(1);
	while (!thread_id || victim_state(getpid(), thread_id) != 'S')
		sched_yield();
	ready_and_wait(ready);
}

static void stack_of_a_fiber(void **state)
{
	struct tcp_child child = child_start(body_fiber);

	(void)state;
	refused_then_copied(&child, INJECT_R_STACK);
	child_end(&child);
}

/* ---- kernels without some system call ---- */

/* A system call to fail; arg: only if that argument is value, -1: always. nr 0 ends the list. */
struct lack {
	uint32_t nr;
	int arg;
	uint32_t value;
};

/* By ptrace, from a process for which each of these calls returns `result`. */
static struct inject_result inject_with(const struct tcp_child *child, const struct lack *lacks,
					uint32_t result)
{
	struct inject_result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct inject_request t = request_of(child);
	struct inject_result got;
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		for (; lacks->nr; lacks++)
			filter_argument(lacks->nr, lacks->arg, lacks->value, result);
		inject_once(&t, INJECT_PTRACE, 5000, shared);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	got = *shared;
	munmap(shared, sizeof(*shared));
	return got;
}

/*
 * The lower end of the frames would be in the guard. A thread that then ends tells the offset of
 * the stack pointer in its page.
 */
static void body_on_a_guard(int link, int ready)
{
	enum { ROOM = 1000 };
	uint32_t word = 0;
	pthread_t thread;
	char *sp = wait_on(stack_with_guard(), STACK, &word, &thread);
	size_t shift = ((uintptr_t)sp - ROOM) & (PAGE - 1) & ~63ul;

	(void)link;
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
	pthread_join(thread, NULL);
	sp = wait_on(stack_with_guard(), STACK - shift, &never, &thread);
	madvise(page_of(sp) - PAGE, PAGE, MADV_GUARD_INSTALL);
	ready_and_wait(ready);
}

/* Linux 6.13 and 6.14 have such guards but do not show them: the write fails, harmlessly. */
static void guard_that_cannot_be_seen(void **state)
{
	static const struct lack reading_pagemap[] = { { SYS_pread64, -1, 0 }, { 0 } };
	struct inject_result got;
	struct tcp_child child;
	bool seen;

	(void)state;
	if (!guards_exist(&seen))
		skip();
	child = child_start(body_on_a_guard);
	got = inject_with(&child, reading_pagemap, SECCOMP_RET_ERRNO | 0);
	assert_reason(got, INJECT_REFUSED, INJECT_R_STACK);
	assert_non_null(strstr(got.error.message, "has a stack that cannot be written"));
	assert_int_equal(victim_state(child.pid, got.tid), 'S');
	refused_then_copied(&child, INJECT_R_STACK);
	child_end(&child);
}

/* Built without CONFIG_CROSS_MEMORY_ATTACH or CONFIG_KCMP, or in a container that forbids them. */
static void without_the_quick_calls(void **state)
{
	static const struct lack calls[] = { { SYS_process_vm_readv, -1, 0 },
					     { SYS_process_vm_writev, -1, 0 },
					     { SYS_kcmp, -1, 0 },
					     { 0 } };
	static const uint32_t errors[] = { ENOSYS, EPERM };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct tcp_child child = child_start(body_futex);
		struct inject_result got;

		await_state(child.pid, 'S');
		got = inject_with(&child, calls, SECCOMP_RET_ERRNO | errors[i]);
		assert_reason(got, INJECT_DONE, INJECT_R_NONE);
		assert_true(victim_await_state(&(struct victim){ .pid = child.pid }, child.pid, 'S',
					       10 * SECOND_MS));
		child_end(&child);
	}
}

/* A processor, or a guest, without XSAVE: not to be mistaken for a thread that has ended. */
static void without_the_extended_state(void **state)
{
	const struct lack lacks[] = { { SYS_ptrace, 2, (uint32_t)sigframe_xstate_regset }, { 0 } };
	struct tcp_child child = child_start(body_futex);
	struct inject_result got;

	(void)state;
	await_state(child.pid, 'S');
	got = inject_with(&child, lacks, SECCOMP_RET_ERRNO | ENODEV);
	assert_reason(got, INJECT_REFUSED, INJECT_R_ARCH);
	assert_int_equal(got.error.code, -ENODEV);
	await_state(child.pid, 'S');
	child_end(&child);
}

static void body_filtered(int link, int ready)
{
	filter(SYS_reboot, SECCOMP_RET_ERRNO | EPERM);
	body_futex(link, ready);
}

/* Built without CONFIG_CHECKPOINT_RESTORE: filters that cannot be read may forbid the call. */
static void without_sight_of_filters(void **state)
{
	static const struct lack lacks[] = { { SYS_ptrace, 0, PTRACE_SECCOMP_GET_FILTER }, { 0 } };
	struct tcp_child child = child_start(body_filtered), plain = child_start(body_futex);
	struct inject_result got;

	(void)state;
	await_state(child.pid, 'S');
	await_state(plain.pid, 'S');
	got = inject_with(&child, lacks, SECCOMP_RET_ERRNO | EIO);
	assert_reason(got, INJECT_REFUSED, INJECT_R_SECCOMP);
	got = inject_with(&plain, lacks, SECCOMP_RET_ERRNO | EIO);
	assert_reason(got, INJECT_DONE, INJECT_R_NONE);
	child_end(&child);
	child_end(&plain);
}

/* A passing error must not be reported as a kernel without pidfds. */
static void without_room_for_a_pidfd(void **state)
{
	static const struct lack lacks[] = { { SYS_pidfd_open, -1, 0 }, { 0 } };
	struct tcp_child child = child_start(body_futex);
	struct inject_result got;

	(void)state;
	await_state(child.pid, 'S');
	got = inject_with(&child, lacks, SECCOMP_RET_ERRNO | EMFILE);
	assert_reason(got, INJECT_REFUSED, INJECT_R_SYSTEM);
	assert_int_equal(got.error.code, -EMFILE);
	got = inject_with(&child, lacks, SECCOMP_RET_ERRNO | ENOSYS);
	assert_reason(got, INJECT_DONE, INJECT_R_NONE);
	child_end(&child);
}

/* Linux 5.3 to 5.5, and before: the call's own result is the proof. */
static void without_pidfds(void **state)
{
	static const struct lack lacks[][2] = { { { SYS_pidfd_getfd, -1, 0 }, { 0 } },
						{ { SYS_pidfd_open, -1, 0 }, { 0 } } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tcp_child child = child_start(body_futex);
		struct inject_result got;
		struct pollfd p = { .fd = child.other, .events = POLLRDHUP };

		await_state(child.pid, 'S');
		got = inject_with(&child, lacks[i], SECCOMP_RET_ERRNO | ENOSYS);
		assert_reason(got, INJECT_DONE, INJECT_R_NONE);
		assert_int_equal(got.used, INJECT_PTRACE);
		assert_int_equal(got.call_ret, 0);
		assert_int_equal(poll(&p, 1, 0), 0); /* SHUT_RD tells the other end nothing */
		child_end(&child);
	}
}

/* ---- faulting pages in ---- */

static void pages_are_ready_and_unchanged(void **state)
{
	enum { MARK = 40 };
	char *at = memory(2 * PAGE), got[2 * PAGE];
	struct tracee_mem mem;
	unsigned calls = 0;
	struct tcp_child child;

	(void)state;
	at[MARK] = 'x'; /* shared with the child after fork(); the second page is in neither */
	child = child_start(body_futex);
	assert_false(page_bits(child.pid, at) & PAGE_EXCLUSIVE);
	assert_false(page_bits(child.pid, at + PAGE) & PAGE_PRESENT);
	tracee_mem_init(&mem, child.pid, &calls);
	tracee_mem_prepare(&mem, (uintptr_t)at + 8, (uintptr_t)at + 2 * PAGE);
	for (int i = 0; i < 2; i++) {
		uint64_t bits = page_bits(child.pid, at + i * PAGE);

		assert_true(bits & PAGE_PRESENT && bits & PAGE_EXCLUSIVE);
	}
	assert_int_equal(tracee_mem_read(&mem, (uintptr_t)at, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, at, sizeof(got));
	tracee_mem_close(&mem);
	child_end(&child);
	munmap(at, 2 * PAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stack_of_unknown_end),
		cmocka_unit_test(stack_of_a_fiber),
		cmocka_unit_test(guard_inside_the_mapping),
		cmocka_unit_test(too_near_a_guard_inside),
		cmocka_unit_test(guard_that_cannot_be_seen),
		cmocka_unit_test(without_the_quick_calls),
		cmocka_unit_test(without_the_extended_state),
		cmocka_unit_test(without_sight_of_filters),
		cmocka_unit_test(without_room_for_a_pidfd),
		cmocka_unit_test(without_pidfds),
		cmocka_unit_test(pages_are_ready_and_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
