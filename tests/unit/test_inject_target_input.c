/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes, numbers and descriptors that cannot be a target: refused by each method with a reason.
 * Needs root and build/victims.
 */
#include "inject_child.h"

static void pids_never_touched(void **state)
{
	struct inject_request t = { .fd = 3, .inode = 1 };

	(void)state;
	static const pid_t bad[] = { 0, 1, -1, -4711, (pid_t)0x80000000 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t.pid = bad[i];
		refused_either_way(&t, INJECT_R_BAD_PID);
	}
	t.pid = getpid();
	refused_either_way(&t, INJECT_R_OWN_PROCESS);
}

static void kernel_thread(void **state)
{
	struct inject_request t = { .pid = 2, .fd = 3, .inode = 1 };
	char name[16] = "";
	int fd = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0 || read(fd, name, sizeof(name) - 1) < 0 || strcmp(name, "kthreadd\n") != 0)
		skip(); /* in a pid namespace of its own */
	close(fd);
	refused_either_way(&t, INJECT_R_KERNEL_THREAD);
}

static void thread_id(void **state)
{
	const char *argv[] = { "build/victims/threads", "futex", "futex", NULL };
	struct inject_request t;
	struct victim v;

	(void)state;
	assert_true(victim_start(&v, argv));
	victim_target(&v, &t);
	t.pid = v.page->thread[1].tid;
	refused_either_way(&t, INJECT_R_THREAD_ID);
	victim_stop(&v);
}

static void process_gone_or_another(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);

	(void)state;
	t.start = 1;
	refused_either_way(&t, INJECT_R_OTHER_PROCESS);
	t.start = 0;
	child_end(&child);
	refused_either_way(&t, INJECT_R_GONE);
}

static void body_exit(int link, int ready)
{
	(void)link;
	say_ready(ready);
	_exit(0);
}

static void zombie(void **state)
{
	struct tcp_child child = child_start(body_exit);
	struct inject_request t = request_of(&child);

	(void)state;
	await_state(child.pid, 'Z');
	refused_either_way(&t, INJECT_R_ZOMBIE);
	child_end(&child);
}

static void descriptors_that_are_no_link(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);
	char path[64];
	struct stat st;

	(void)state;
	t.fd = 1000;
	refused_either_way(&t, INJECT_R_NO_FD);
	t.fd = -1;
	refused_either_way(&t, INJECT_R_NO_FD);
	t.fd = 0; /* not a socket */
	snprintf(path, sizeof(path), "/proc/%d/fd/0", child.pid);
	assert_int_equal(stat(path, &st), 0);
	t.inode = st.st_ino;
	if (!S_ISSOCK(st.st_mode))
		refused_either_way(&t, INJECT_R_NO_SOCKET);
	t = request_of(&child);
	t.inode++;
	refused_either_way(&t, INJECT_R_OTHER_SOCKET);
	t.inode--;
	t.cookie++;
	refused_either_way(&t, INJECT_R_OTHER_SOCKET);
	child_end(&child);
}

static void refuse_socket(int fd, enum inject_reason reason)
{
	struct tcp_child child = child_start_with(body_futex, fd, -1);
	struct inject_request t = request_of(&child);

	refused_either_way(&t, reason);
	child_end(&child);
}

static void other_kinds_of_socket(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), pair[2];

	(void)state;
	refuse_socket(socket(AF_INET, SOCK_DGRAM, 0), INJECT_R_NOT_TCP);
	refuse_socket(socket(AF_UNIX, SOCK_STREAM, 0), INJECT_R_NOT_TCP);
	refuse_socket(socket(AF_NETLINK, SOCK_RAW, 0), INJECT_R_NOT_TCP);
	refuse_socket(socket(AF_INET, SOCK_STREAM, 0), INJECT_R_WRONG_STATE);
	assert_int_equal(listen(listener, 1), 0);
	refuse_socket(listener, INJECT_R_LISTENING);
	tcp_pair(pair); /* the other end has closed: CLOSE_WAIT */
	close(pair[1]);
	struct pollfd p = { .fd = pair[0], .events = POLLRDHUP };
	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
	refuse_socket(pair[0], INJECT_R_WRONG_STATE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pids_never_touched),
		cmocka_unit_test(kernel_thread),
		cmocka_unit_test(thread_id),
		cmocka_unit_test(process_gone_or_another),
		cmocka_unit_test(zombie),
		cmocka_unit_test(descriptors_that_are_no_link),
		cmocka_unit_test(other_kinds_of_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
