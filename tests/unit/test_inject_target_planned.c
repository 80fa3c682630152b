/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Injections by a plan that was made before: what has changed meanwhile is noticed, and the
 * injection then finds out by itself. Needs root.
 */
#include "inject_child.h"

static struct inject_worker *worker;

static struct inject_plan plan_of(const struct tcp_child *child)
{
	struct inject_request request = request_of(child);
	struct inject_plan plan;

	assert_int_equal(inject_plan_make(worker, &request, &plan), 0);
	assert_true(plan.known);
	return plan;
}

static struct inject_result inject_by(const struct tcp_child *child, const struct inject_plan *plan)
{
	struct inject_request request = request_of(child);
	struct inject_result result;

	request.method = INJECT_PTRACE;
	request.deadline = now_mono() + 5 * NS_PER_S;
	request.plan = plan;
	inject_shutdown(worker, &request, &result);
	return result;
}

/* It touches nothing: no stop, and the socket is as before. */
static void planning_changes_nothing(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct pollfd other = { .fd = child.other, .events = POLLIN | POLLRDHUP };
	size_t descriptors;

	(void)state;
	await_state(child.pid, 'S');
	descriptors = descriptors_of(child.pid);
	assert_int_equal(plan_of(&child).choice.tid, child.pid);
	assert_int_equal(poll(&other, 1, 50), 0);
	assert_int_equal(descriptors_of(child.pid), descriptors);
	child_end(&child);
}

static void done_by_its_thread(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_plan plan;
	struct inject_result result;

	(void)state;
	await_state(child.pid, 'S');
	plan = plan_of(&child);
	result = inject_by(&child, &plan);
	assert_reason(result, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(result.tid, plan.choice.tid);
	assert_true(result.stopped_ns > 0);
	child_end(&child);
}

/* Another wait, other code, another thread. */
static void what_is_not_as_planned_is_found_out_anew(void **state)
{
	struct inject_plan wrong[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct tcp_child child = child_start(body_futex);
		struct inject_result result;

		await_state(child.pid, 'S');
		wrong[i] = plan_of(&child);
		if (i == 0)
			wrong[i].choice.wait.sp -= 4096;
		else if (i == 1)
			wrong[i].code.syscall_ret += 16;
		else
			wrong[i].choice.tid = getpid();
		result = inject_by(&child, &wrong[i]);
		assert_reason(result, INJECT_DONE, INJECT_R_NONE);
		assert_int_equal(result.tid, child.pid);
		child_end(&child);
	}
}

static int release[2];
static uint32_t gate;

/* The thread of the plan, cancelled when the test says so; the first one then waits. */
static void *wait_until_released(void *arg)
{
	*(_Atomic pid_t *)arg = gettid();
	syscall(SYS_futex, &gate, FUTEX_WAIT_PRIVATE, 0, NULL);
	return NULL;
}

static void body_whose_thread_ends(int link, int ready)
{
	static _Atomic pid_t tid;
	pthread_t thread;
	char c;

	(void)link;
	pthread_create(&thread, NULL, wait_until_released, (void *)&tid);
	while (!tid || victim_state(getpid(), tid) != 'S')
		sched_yield();
	say_ready(ready);
	if (read(release[0], &c, 1) != 1)
		_exit(1);
	gate = 1;
	syscall(SYS_futex, &gate, FUTEX_WAKE_PRIVATE, 1);
	pthread_join(thread, NULL);
	say_ready(ready);
	wait_forever();
}

static void a_thread_that_has_ended(void **state)
{
	struct tcp_child child;
	struct inject_plan plan;
	struct inject_result result;
	char c;

	(void)state;
	assert_int_equal(pipe2(release, O_CLOEXEC), 0);
	child = child_start(body_whose_thread_ends);
	assert_int_equal(read(child.ready, &c, 1), 1);
	plan = plan_of(&child);
	assert_int_not_equal(plan.choice.tid, child.pid);
	assert_int_equal(write(release[1], "", 1), 1);
	await_ready(child.ready);
	await_state(child.pid, 'S');
	result = inject_by(&child, &plan);
	assert_reason(result, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(result.tid, child.pid);
	child_end(&child);
}

/* A plan of another process: its thread is none of this one. */
static void another_process_by_that_number(void **state)
{
	struct tcp_child first = child_start(body_futex), second = child_start(body_futex);
	struct inject_plan plan;
	struct inject_result result;

	(void)state;
	await_state(first.pid, 'S');
	await_state(second.pid, 'S');
	plan = plan_of(&first);
	result = inject_by(&second, &plan);
	assert_reason(result, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(result.tid, second.pid);
	child_end(&first);
	child_end(&second);
}

/* The executor may give its socket another number meanwhile: that of the request counts. */
static void planned_for_a_descriptor_of_another_number(void **state)
{
	struct tcp_child child = child_start(body_futex), earlier = child;
	struct inject_plan plan;
	struct inject_result result;

	(void)state;
	await_state(child.pid, 'S');
	earlier.link += 20;
	plan = plan_of(&earlier);
	result = inject_by(&child, &plan);
	assert_reason(result, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(result.tid, plan.choice.tid);
	child_end(&child);
}

static void no_plan_of_what_is_not_there(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request request = request_of(&child);
	struct inject_plan plan;

	(void)state;
	child_end(&child);
	assert_int_equal(inject_plan_make(worker, &request, &plan), -ESRCH);
	assert_false(plan.known);
}

static int begin(void **state)
{
	(void)state;
	return inject_worker_new(&worker);
}

static int end(void **state)
{
	(void)state;
	inject_worker_free(worker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planning_changes_nothing),
		cmocka_unit_test(done_by_its_thread),
		cmocka_unit_test(what_is_not_as_planned_is_found_out_anew),
		cmocka_unit_test(a_thread_that_has_ended),
		cmocka_unit_test(another_process_by_that_number),
		cmocka_unit_test(planned_for_a_descriptor_of_another_number),
		cmocka_unit_test(no_plan_of_what_is_not_there),
	};

	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, begin, end);
}
